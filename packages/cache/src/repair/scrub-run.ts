import { z } from 'zod';
import { isFlywheelError } from '@flywheel/base';
import type { RunContext, RunKind } from '../runs/run-kind.ts';
import type { NarStore } from '../store/nar-store.ts';
import { createByteRate, type ByteRate } from './byte-rate.ts';
import { isNarIntact } from './check-nar.ts';
import { checkPack } from './check-pack.ts';
import { reportDamage, type DamageParts } from './report-damage.ts';
import {
  addFault,
  enterPhase,
  newTally,
  resumedTally,
  type ScrubFound,
  type ScrubTally,
} from './scrub-tally.ts';
import { findUnknownBlobs } from './unknown-blobs.ts';

export const SCRUB = 'scrub';

/** So modest that a disk has most of its time for clients. */
export const DEFAULT_SCRUB_RATE = 50 * 1024 ** 2;

export interface ScrubSettings {
  /**
   * How often it runs by itself; 0: never. Without it every 30 days, but never with S3: reading a
   * bucket may cost money, and object stores look after their disks themselves.
   */
  readonly everyMs?: number | undefined;
}

const EVERY_MS = 30 * 24 * 3600 * 1000;
/** A new store first gets pushes, whose bytes have just been seen. */
const FIRST_AFTER_MS = 15 * 60 * 1000;

export type ScrubParts = ScrubSettings &
  DamageParts & { readonly store: NarStore; readonly inS3: boolean };

const Options = z.object({
  /** Decompress everything, and compare the hashes of chunks and NARs. */
  deep: z.boolean().default(false),
  /** Bytes a second. */
  rate: z.int().min(1024).default(DEFAULT_SCRUB_RATE),
  /** Remove blobs that the database has not known for a day. */
  remove_unknown: z.boolean().default(false),
});

type Options = z.infer<typeof Options>;

/** What opening a pack counts for, so that a million small ones do not come at once either. */
const PACK_COST_BYTES = 16 * 1024;

/** Rows that are asked for at once. */
const BATCH = 64;

/**
 * Reads all that is stored and finds what is damaged before somebody needs it. What is found is
 * reported missing from then on, so that the next push heals it.
 */
export function scrubKind(parts: ScrubParts): RunKind<Options> {
  const { store, inS3, everyMs = inS3 ? 0 : EVERY_MS } = parts;
  const options = Options.parse({});
  return {
    name: SCRUB,
    options: Options,
    permission: 'delete',
    ...(everyMs === 0
      ? {}
      : { due: { everyMs, options, atStart: false, firstAfterMs: FIRST_AFTER_MS } }),
    exclusively: (work) => store.metadata.withMaintenanceLock('scrub', work),
    run: (given, context) => runScrub(parts, given, context),
    // That nothing is damaged is worth knowing too.
    hasDone: () => true,
  };
}

interface Scrub {
  readonly parts: ScrubParts;
  readonly options: Options;
  readonly context: RunContext;
  readonly rate: ByteRate;
  readonly tally: ScrubTally;
}

async function runScrub(
  parts: ScrubParts,
  options: Options,
  context: RunContext,
): Promise<ScrubFound> {
  const tally = resumedTally(context.resume) ?? newTally(options.deep);
  const rate = createByteRate(options.rate, context.signal);
  const scrub: Scrub = { parts, options, context, rate, tally };
  if (tally.phase === 'packs') await scrubPacks(scrub);
  if (tally.phase === 'nars') await scrubNars(scrub);
  await scrubBlobs(scrub);
  return tally.found;
}

async function scrubPacks(scrub: Scrub): Promise<void> {
  const { parts, options, context, rate, tally } = scrub;
  const { metadata, blobs } = parts.store;
  const step = 'checking packs';
  const { packs: of } = await metadata.statistics();
  const report = (): void =>
    context.report({ step, done: tally.found.packs, of, resume: structuredClone(tally) });
  report();
  for (;;) {
    const packs = await metadata.packsToCheck(tally.after, BATCH);
    if (packs.length === 0) break;
    for (const pack of packs) {
      const chunks = await metadata.chunksOfPack(pack.id);
      const check = await checkPack(blobs, pack, { deep: options.deep, rate, chunks });
      if (check.fault !== undefined) {
        const { nars, isNews } = await reportDamage(parts, pack, check.fault, check.damaged);
        if (isNews) addFault(tally, { pack: pack.key, fault: check.fault, nars });
      }
      tally.found.packs += 1;
      tally.found.bytes += check.bytes;
      tally.after = pack.id;
      report();
      // Beside its frames, each pack costs its opening and its index.
      await rate.spend(PACK_COST_BYTES);
    }
  }
  enterPhase(tally, options.deep ? 'nars' : 'blobs');
}

async function scrubNars(scrub: Scrub): Promise<void> {
  const { parts, context, rate, tally } = scrub;
  const { store } = parts;
  const { nars: of } = await store.metadata.statistics();
  for (;;) {
    const nars = await store.metadata.intactNars(tally.after, BATCH);
    if (nars.length === 0) break;
    for (const nar of nars) {
      const isIntact = await isNarIntact(store, nar, rate).catch((error: unknown) => {
        // Its pack has gone since we asked: moved, healed, or found missing and reported.
        if (isFlywheelError(error, 'corrupt')) return true;
        throw error;
      });
      if (!isIntact && (await store.metadata.markNarDamaged(nar))) {
        const hash = nar.hash.toString('hex');
        store.logger.error('a NAR does not have its hash; it is missing now', { narHash: hash });
        parts.onDamage?.();
        addFault(tally, { nar: hash, fault: 'does not have its hash', nars: 1 });
      }
      tally.found.nars += 1;
      tally.after = nar.id;
      const resume = structuredClone(tally);
      context.report({ step: 'checking NARs', done: tally.found.nars, of, resume });
    }
  }
  enterPhase(tally, 'blobs');
}

async function scrubBlobs({ parts, options, context, tally }: Scrub): Promise<void> {
  context.report({ step: 'looking for what nobody knows', resume: structuredClone(tally) });
  tally.found.unknown = await findUnknownBlobs(parts.store, {
    remove: options.remove_unknown,
    signal: context.signal,
  });
}
