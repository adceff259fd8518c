import type { Metadata, Pack } from '../db/metadata.ts';
import type { NarStore } from './nar-store.ts';
import type { Pace } from './pace.ts';
import { packKeyOf } from './pack-key.ts';
import { removeBlobs } from './remove-blobs.ts';

export interface Reclaimed {
  readonly nars: number;
  readonly packs: number;
  readonly bytes: number;
  /** Uploads that ended without a commit and whose traces were removed. */
  readonly uploads: number;
}

/** Packs removed together, some 200 bytes each: see removePacks, which sorts their chunks. */
const PACKS = 100_000;

/** Leases looked at in one run. */
const LEASES = 50_000;

/**
 * Frees what nothing refers to: what failed uploads and deleted caches left, NARs without an object,
 * then packs without a NAR. Safe beside uploads; run again after an interruption, it goes on.
 */
export async function reclaim(
  store: Pick<NarStore, 'metadata' | 'blobs'>,
  pace: Pace,
  report: (done: Reclaimed) => void = () => {},
): Promise<Reclaimed> {
  const { metadata, blobs } = store;
  const batch = metadata.batchRows;
  await metadata.removeDeletedCaches(pace.rest);
  const done = { uploads: await removeTraces(store, pace), nars: 0, packs: 0, bytes: 0 };
  for (let removed = batch; removed === batch; done.nars += removed) {
    removed = await metadata.removeUnusedNars(batch);
    report(done);
    await pace.rest();
  }
  await metadata.condemnPacks(pace.rest);
  for (let found = PACKS; found >= PACKS;) {
    const condemned = await findCondemned(metadata, pace);
    found = condemned.length;
    // Blobs first: after a crash in between, the rows still tell what to remove.
    for (let at = 0; at < found; at += batch) {
      const keys = condemned.slice(at, at + batch).map((pack) => pack.key);
      await removeBlobs(blobs, keys);
      await pace.rest();
    }
    await metadata.removePacks(
      condemned.map((pack) => pack.id),
      pace.rest,
    );
    done.packs += found;
    for (const pack of condemned) done.bytes += pack.size;
    report(done);
  }
  return done;
}

async function findCondemned(metadata: Metadata, pace: Pace): Promise<readonly Pack[]> {
  const packs: Pack[] = [];
  while (packs.length < PACKS) {
    const found = await metadata.condemnedPacks(metadata.batchRows, packs.at(-1)?.id);
    if (found.length === 0) break;
    packs.push(...found);
    await pace.rest();
  }
  return packs;
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
    await removeBlobs(
      blobs,
      keys.filter((key) => !committed.has(key)),
    );
    await metadata.forgetLeases(some);
    await pace.rest();
  }
  return leases.length;
}
