import { isFlywheelError } from '@flywheel/base';
import type { SparsePack } from '../db/repack-rows.ts';
import { copyLiveFrames } from './copy-frames.ts';
import type { NarStore } from './nar-store.ts';
import type { Pace } from './pace.ts';
import { packKeyOf } from './pack-key.ts';
import { withUpload } from './with-upload.ts';

export interface RepackPolicy {
  /** A pack is rewritten when less than this share of it is needed. */
  readonly liveShare: number;
  /** And when that frees so many bytes at least: each pack costs requests and a transaction. */
  readonly leastBytes: number;
}

export const DEFAULT_REPACK: RepackPolicy = { liveShare: 0.5, leastBytes: 64 * 1024 };

export interface Repacked {
  readonly packs: number;
  /** Bytes that the old packs will give back. */
  readonly bytes: number;
}

/** Packs that are weighed together. */
const WEIGHED = 16;

export type RepackStore = Pick<NarStore, 'metadata' | 'blobs' | 'clock' | 'logger'>;

/**
 * Rewrites packs that are mostly dead: what is needed of them is copied into a new pack as it is.
 * Safe beside uploads and downloads; killed at any moment, it leaves the old pack as it was, and
 * of the new one a lease that tells what to remove.
 */
export async function repack(
  store: RepackStore,
  policy: RepackPolicy,
  pace: Pace,
): Promise<Repacked> {
  const { metadata } = store;
  const done = { packs: 0, bytes: 0 };
  for (let after = 0; ;) {
    const packs = await metadata.sparsePacks(after, WEIGHED);
    const last = packs.at(-1);
    if (last === undefined) return done;
    after = last.id;
    for (const pack of packs) {
      const live = pack.live.reduce((sum, range) => sum + range.length, 0);
      const freed = pack.size - live;
      const isWorth = live > 0 && live < policy.liveShare * pack.size && freed >= policy.leastBytes;
      if (isWorth && !(await tryRepack(store, pack, pace))) continue;
      if (isWorth) {
        done.packs += 1;
        done.bytes += freed;
      }
      await metadata.forgetSparsePacks([pack.id]);
      await pace.rest();
    }
  }
}

/** False when it has to be tried another time. */
async function tryRepack(store: RepackStore, pack: SparsePack, pace: Pace): Promise<boolean> {
  const { metadata, logger } = store;
  try {
    return await repackOne(store, pack, pace);
  } catch (error) {
    if (isFlywheelError(error, 'corrupt')) {
      const narsNowMissing = await metadata.markPackDamaged(pack.id);
      logger.error('a pack is damaged', { pack: pack.key, narsNowMissing, error });
      return false;
    }
    // Its lease has run out, or the disk is full: what it left is reclaimed.
    if (isFlywheelError(error, 'conflict') || isFlywheelError(error, 'no-space')) {
      logger.warn('a pack was not rewritten; it is tried again', { pack: pack.key, error });
      return false;
    }
    throw error;
  }
}

async function repackOne(store: RepackStore, source: SparsePack, pace: Pace): Promise<boolean> {
  const { metadata, blobs } = store;
  const moved = await withUpload(metadata, undefined, async ({ lease }) => {
    const key = packKeyOf(lease);
    const writer = await blobs.create(key);
    try {
      const copied = await copyLiveFrames(store, source, writer, { lease, pace });
      await writer.commit();
      const { size, frames } = copied;
      const id = await metadata.commitRepack({
        lease,
        source: source.id,
        pack: { key, size },
        frames,
      });
      if (id === undefined) await blobs.remove(key);
      return id === undefined ? undefined : { id, chunks: copied.chunks };
    } catch (error) {
      await writer.abort();
      // Otherwise it may have been committed; if not, its lease tells what to remove.
      if (isFlywheelError(error)) await blobs.remove(key);
      throw error;
    }
  });
  if (moved === undefined) return false;
  const { chunks } = moved;
  // After the commit, not in it: until then uploads only store these chunks once more.
  for (let at = 0; at < chunks.length; at += metadata.batchRows) {
    await metadata.moveChunks(moved.id, chunks.slice(at, at + metadata.batchRows));
    await pace.rest();
  }
  return true;
}
