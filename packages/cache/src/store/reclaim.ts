import { setTimeout as sleep } from 'node:timers/promises';
import type { Metadata, Pack } from '../db/metadata.ts';
import type { NarStore } from './nar-store.ts';
import type { Pace } from './pace.ts';
import { packKeyOf } from './pack-key.ts';
import { discardBlobs, removeBlobs } from './remove-blobs.ts';

export interface Reclaimed {
  readonly nars: number;
  readonly packs: number;
  readonly bytes: number;
  /** Uploads that ended without a commit and whose traces were removed. */
  readonly uploads: number;
}

export interface ReclaimOptions {
  readonly report?: (done: Reclaimed) => void;
  /** How long to wait for uploads under way, which keep packs that are of no use any more. */
  readonly patienceMs?: number;
}

const LOOK_EVERY_MS = 200;

/** How many batches of packs go at once. */
const LANES = 2;

/** Leases looked at in one run. */
const LEASES = 50_000;

/** What the leases do not tell of. Other replicas may be writing: nothing takes a day. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/**
 * Frees what nothing refers to: what failed uploads and deleted caches left, NARs without an object,
 * then packs without a NAR. Safe beside uploads; run again after an interruption, it goes on.
 */
export async function reclaim(
  store: Pick<NarStore, 'metadata' | 'blobs'>,
  pace: Pace,
  { report = () => {}, patienceMs = 0 }: ReclaimOptions = {},
): Promise<Reclaimed> {
  const { metadata, blobs } = store;
  const batch = metadata.batchRows;
  await metadata.removeDeletedCaches(pace.rest);
  await blobs.removeLeftovers(ABANDONED_MS);
  const done = { uploads: await removeTraces(store, pace), nars: 0, packs: 0, bytes: 0 };
  for (let removed = batch; removed === batch; done.nars += removed) {
    removed = await metadata.removeUnusedNars(batch);
    report(done);
    await pace.rest();
  }
  await metadata.condemnPacks(pace.rest);
  const condemnedBy = await metadata.currentTime();
  await outlast(metadata, condemnedBy, patienceMs, pace);
  const batches = condemnedBatches(metadata, condemnedBy);
  const lane = async (): Promise<void> => {
    for await (const packs of batches) {
      // Blobs first: after a crash in between, the rows still tell what to remove.
      await removeBlobs(
        blobs,
        packs.map((pack) => pack.key),
      );
      await metadata.removePacks(
        packs.map((pack) => pack.id),
        pace.rest,
      );
      done.packs += packs.length;
      for (const pack of packs) done.bytes += pack.size;
      report(done);
      await pace.rest();
    }
  };
  await allOf(Array.from({ length: LANES }, lane));
  return done;
}

/** All condemned packs that may go, in batches that several may take from. */
async function* condemnedBatches(
  metadata: Metadata,
  condemnedBy: number,
): AsyncGenerator<readonly Pack[]> {
  for (let after = 0; ;) {
    const packs = await metadata.condemnedPacks(metadata.batchRows, { after, condemnedBy });
    const last = packs.at(-1);
    if (last === undefined) return;
    after = last.id;
    yield packs;
  }
}

/** Throws the first failure, when the others have ended too. */
async function allOf(work: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(work);
  await Promise.all(work);
}

/** Waits for uploads that began before this time: they may have seen packs that were condemned. */
async function outlast(
  metadata: Metadata,
  time: number,
  patienceMs: number,
  pace: Pace,
): Promise<void> {
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += LOOK_EVERY_MS) {
    const oldest = await metadata.oldestLease();
    if (oldest === undefined || oldest > time) return;
    await sleep(LOOK_EVERY_MS);
    await pace.rest();
  }
}

async function removeTraces(
  { metadata, blobs }: Pick<NarStore, 'metadata' | 'blobs'>,
  pace: Pace,
): Promise<number> {
  // Not until none is left: those that ran out lately stay, to be looked at again.
  const leases = await metadata.deadLeases(LEASES);
  for (let at = 0; at < leases.length; at += metadata.batchRows) {
    const some = leases.slice(at, at + metadata.batchRows);
    const keys = some.map(packKeyOf);
    const committed = await metadata.knownPackKeys(keys);
    await discardBlobs(
      blobs,
      keys.filter((key) => !committed.has(key)),
    );
    await metadata.forgetLeases(some);
    await pace.rest();
  }
  return leases.length;
}
