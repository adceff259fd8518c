import { z } from 'zod';
import { FlywheelError } from '@flywheel/base';
import type { Cache } from '../db/metadata.ts';
import type { RunContext, RunKind } from '../runs/run-kind.ts';
import type { NarStore } from '../store/nar-store.ts';
import { gather, type Gathered } from '../store/gather.ts';
import { createPace } from '../store/pace.ts';
import { reclaim, type Reclaimed } from '../store/reclaim.ts';
import { DEFAULT_REPACK, repack, type Repacked, type RepackPolicy } from '../store/repack.ts';
import { expireCache, previewExpiry, type ExpireParts } from './expire-cache.ts';
import type { Expired } from './expiry-tally.ts';

export const RETENTION = 'retention';

export interface RetentionSettings {
  /** Seconds for caches without a period of their own; undefined or 0 keeps for ever. */
  readonly defaultSeconds?: number | undefined;
  readonly repack?: RepackPolicy | undefined;
}

export type RetentionParts = RetentionSettings &
  Pick<ExpireParts, 'settleMs' | 'uses' | 'onRemoved'> & {
    readonly store: Pick<NarStore, 'metadata' | 'blobs' | 'clock' | 'logger'>;
  };

const Options = z.object({ dry_run: z.boolean().default(false), cache: z.string().optional() });

/** The result of a run, as it is kept and as the API shows it. */
export interface RetentionResult {
  readonly dry_run: boolean;
  readonly caches: readonly ReturnType<typeof wireExpired>[];
  /** Absent after a dry run. */
  readonly reclaimed?: Reclaimed;
  readonly repacked?: Repacked;
  /** Of what was taken over from Attic; absent when there was nothing of it. */
  readonly gathered?: Gathered;
}

const EVERY_MS = 3600 * 1000;
/** Uploads that take longer keep packs until the next run. */
const UPLOADS_MS = 30_000;
/**
 * How long it rests relative to its work: SQLite works in the thread that serves, PostgreSQL beside
 * it.
 */
const REST_SHARE_SQLITE = 0.4;
const REST_SHARE_POSTGRES = 0.02;

/**
 * Retention as a run: what each cache does not keep any more goes, then what nothing refers to any
 * more, then packs that are mostly dead are rewritten.
 */
export function retentionKind(parts: RetentionParts): RunKind<z.infer<typeof Options>> {
  const { metadata } = parts.store;
  return {
    name: RETENTION,
    options: Options,
    permission: 'delete',
    due: { everyMs: EVERY_MS, options: { dry_run: false } },
    exclusively: (work) => metadata.withMaintenanceLock(RETENTION, work),
    run: (options, context) => runRetention(parts, options, context),
    hasDone: (result) => hasDone(result as RetentionResult),
  };
}

async function runRetention(
  parts: RetentionParts,
  { dry_run: dryRun, cache: only }: z.infer<typeof Options>,
  { signal, report }: RunContext,
): Promise<RetentionResult> {
  const { store, defaultSeconds, settleMs } = parts;
  const isSqlite = settleMs === undefined;
  const pace = createPace(isSqlite ? REST_SHARE_SQLITE : REST_SHARE_POSTGRES, {
    signal,
    catchUp: () => store.metadata.catchUp(),
  });
  const expireParts = { ...parts, metadata: store.metadata, pace, signal, report };
  const expired: Expired[] = [];
  await store.metadata.refreshStatistics();
  for (const cache of await chosenCaches(store, only)) {
    const policy = {
      periodSeconds: cache.retentionSeconds ?? defaultSeconds,
      quotaBytes: cache.quotaBytes,
    };
    const keepsAll = (policy.periodSeconds ?? 0) === 0 && policy.quotaBytes === undefined;
    if (keepsAll && only === undefined) continue;
    const expire = dryRun ? previewExpiry : expireCache;
    expired.push(await expire(expireParts, cache, policy));
  }
  const result = { dry_run: dryRun, caches: expired.map(wireExpired) };
  if (dryRun) return result;
  report({ step: 'removing what nothing refers to' });
  const reclaimed = await reclaim(store, pace, {
    patienceMs: UPLOADS_MS,
    report: ({ nars, packs }) =>
      report({ step: 'removing what nothing refers to', done: nars + packs }),
  });
  report({ step: 'rewriting packs' });
  const repacked = await repack(store, parts.repack ?? DEFAULT_REPACK, pace);
  const gathered = await gather(store, pace, ({ objects }) =>
    report({ step: 'gathering what was taken over from Attic', done: objects }),
  );
  return { ...result, reclaimed, repacked, ...(gathered.packs > 0 && { gathered }) };
}

function hasDone({ caches, reclaimed, repacked, gathered }: RetentionResult): boolean {
  const expired = caches.reduce((sum, { paths }) => sum + paths, 0);
  const { nars = 0, packs = 0, uploads = 0 } = reclaimed ?? {};
  return expired + nars + packs + uploads + (repacked?.packs ?? 0) + (gathered?.packs ?? 0) > 0;
}

async function chosenCaches(
  { metadata }: RetentionParts['store'],
  only: string | undefined,
): Promise<readonly Cache[]> {
  if (only === undefined) return metadata.listCaches();
  const cache = await metadata.findCache(only);
  if (cache === undefined) throw new FlywheelError('not-found', `there is no cache ${only}`);
  return [cache];
}

function wireExpired(expired: Expired) {
  return {
    cache: expired.cache,
    paths: expired.paths,
    logical_bytes: expired.logicalBytes,
    stored_bytes: expired.storedBytes,
    kept_paths: expired.keptPaths,
    kept_bytes: expired.keptBytes,
    over_quota: expired.overQuota,
    examples: expired.examples,
  };
}
