import { z } from 'zod';
import type { BuildRecords } from '../db/build-records.ts';
import type { IdentityRecords } from '../db/identity-records.ts';
import { inBatches } from '../db/in-batches.ts';
import type { Metadata } from '../db/metadata.ts';
import type { RunKind } from '../runs/run-kind.ts';

const EVERY_MS = 3600 * 1000;
const DAY_MS = 24 * 3600 * 1000;
/** Who looks into a log does so in the weeks after the build. */
const LOG_MS = 90 * DAY_MS;
/** `nix copy` puts a realisation after its path; whoever does it the other way has a day. */
const REALISATION_MS = DAY_MS;
/** A token that has expired may still be asked about: who was that, last week? */
const EXPIRED_TOKEN_MS = 30 * DAY_MS;
const DEFAULT_AUDIT_DAYS = 90;

/** Logs are long; of the others a row is a few hundred bytes. */
const LOG_BATCH = 100;
const BATCH = 1000;

const Options = z.object({});

export interface TidyParts {
  readonly metadata: Pick<Metadata, 'withMaintenanceLock' | 'currentTime'> &
    BuildRecords &
    IdentityRecords;
  /** How long the audit log is kept; 90 when undefined. */
  readonly auditDays?: number | undefined;
}

/** How many of each were removed. The result of a run, as it is kept and as the API shows it. */
export interface Tidied {
  readonly logs: number;
  readonly realisations: number;
  readonly audit_entries: number;
  readonly tokens: number;
}

/** Forgets, every hour, what is kept beside paths and has become too old. */
export function tidyKind(parts: TidyParts): RunKind<z.infer<typeof Options>> {
  const { metadata } = parts;
  return {
    name: 'tidy',
    options: Options,
    permission: 'delete',
    due: { everyMs: EVERY_MS, options: {} },
    exclusively: (work) => metadata.withMaintenanceLock('tidy', work),
    async run(_, { report }) {
      report({ step: 'removing old records' });
      return tidy(metadata, await metadata.currentTime(), parts.auditDays);
    },
    hasDone: (result) => Object.values(result as Tidied).some((removed) => removed > 0),
  };
}

/**
 * Removes build logs older than 90 days, realisations whose paths have been gone for a day, audit
 * entries older than so many days, and tokens that expired a month ago: in short statements.
 */
export async function tidy(
  records: BuildRecords & IdentityRecords,
  now: number,
  auditDays = DEFAULT_AUDIT_DAYS,
): Promise<Tidied> {
  return {
    logs: await inBatches(LOG_BATCH, (limit) => records.removeLogs(now - LOG_MS, limit)),
    realisations: await inBatches(LOG_BATCH, (limit) =>
      records.removeRealisations(now - REALISATION_MS, limit),
    ),
    audit_entries: await inBatches(BATCH, (limit) =>
      records.removeAudit(now - auditDays * DAY_MS, limit),
    ),
    tokens: await inBatches(BATCH, (limit) =>
      records.removeExpiredTokens(now - EXPIRED_TOKEN_MS, limit),
    ),
  };
}
