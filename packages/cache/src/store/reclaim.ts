import type { NarStore } from './nar-store.ts';

export interface Reclaimed {
  readonly nars: number;
  readonly packs: number;
  readonly bytes: number;
  /** Files that no record knows: what a killed upload leaves. */
  readonly orphans: number;
}

/** Rows removed in one transaction, so that uploads wait for milliseconds at most. */
const BATCH = 500;

/** A blob newer than this may belong to an upload that is about to commit it. */
const ORPHAN_AGE_MS = 60 * 60 * 1000;

export interface ReclaimOptions {
  /** Blobs last written before this time (ms) and unknown to the database are removed. */
  readonly orphansBefore?: number;
}

/**
 * Frees what nothing refers to: NARs without an object, then packs without a NAR, then blobs
 * without a record. Safe beside uploads; run again after an interruption, it goes on.
 */
export async function reclaim(store: NarStore, options: ReclaimOptions = {}): Promise<Reclaimed> {
  const { metadata, blobs, clock } = store;
  let nars = 0;
  for (let removed = BATCH; removed === BATCH; nars += removed) {
    removed = await metadata.removeUnusedNars(BATCH);
  }
  await metadata.condemnPacks();
  let packs = 0;
  let bytes = 0;
  for (;;) {
    const removed = await metadata.removeCondemnedPacks(BATCH);
    // The rows went first: a crash here leaves blobs without a record, which the sweep finds.
    for (const pack of removed) {
      await blobs.remove(pack.key);
      bytes += pack.size;
    }
    packs += removed.length;
    if (removed.length < BATCH) break;
  }
  const orphans = await removeOrphans(store, options.orphansBefore ?? clock.now() - ORPHAN_AGE_MS);
  return { nars, packs, bytes, orphans };
}

async function removeOrphans(store: NarStore, before: number): Promise<number> {
  let removed = 0;
  let candidates: string[] = [];
  const sweep = async (): Promise<void> => {
    const known = await store.metadata.knownPackKeys(candidates);
    for (const key of candidates) {
      if (known.has(key)) continue;
      await store.blobs.remove(key);
      removed += 1;
    }
    candidates = [];
  };
  for await (const { key, modifiedMs } of store.blobs.list()) {
    if (modifiedMs >= before) continue;
    candidates.push(key);
    if (candidates.length === BATCH) await sweep();
  }
  await sweep();
  return removed;
}
