import type { NarStore } from './nar-store.ts';
import { packKeyOf } from './pack-key.ts';

export interface Reclaimed {
  readonly nars: number;
  readonly packs: number;
  readonly bytes: number;
  /** Uploads that ended without a commit and whose traces were removed. */
  readonly uploads: number;
}

/** Rows handled in one transaction, so that uploads wait for milliseconds at most. */
const BATCH = 500;

/** What the leases do not tell of. Other replicas may be writing: nothing takes a day. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/**
 * Frees what nothing refers to: what failed uploads left, NARs without an object, then packs
 * without a NAR. Safe beside uploads; run again after an interruption, it goes on.
 */
export async function reclaim(store: NarStore): Promise<Reclaimed> {
  const { metadata, blobs } = store;
  const uploads = await removeTraces(store);
  let nars = 0;
  for (let removed = BATCH; removed === BATCH; nars += removed) {
    removed = await metadata.removeUnusedNars(BATCH);
  }
  await metadata.condemnPacks();
  let packs = 0;
  let bytes = 0;
  for (let found = BATCH; found === BATCH; packs += found) {
    const condemned = await metadata.condemnedPacks(BATCH);
    found = condemned.length;
    if (found === 0) break;
    // Blobs first: after a crash in between, the rows still tell what to remove.
    for (const pack of condemned) {
      await blobs.remove(pack.key);
      bytes += pack.size;
    }
    await metadata.removePacks(condemned.map((pack) => pack.id));
  }
  await blobs.removeLeftovers(ABANDONED_MS);
  return { nars, packs, bytes, uploads };
}

async function removeTraces({ metadata, blobs }: NarStore): Promise<number> {
  // Not until none is left: those that ran out lately stay, to be looked at again.
  const leases = await metadata.deadLeases(BATCH * 100);
  for (let at = 0; at < leases.length; at += BATCH) {
    const batch = leases.slice(at, at + BATCH);
    const committed = await metadata.knownPackKeys(batch.map(packKeyOf));
    for (const key of batch.map(packKeyOf)) if (!committed.has(key)) await blobs.discard(key);
    await metadata.forgetLeases(batch);
  }
  return leases.length;
}
