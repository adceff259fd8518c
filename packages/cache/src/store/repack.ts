import { isFlywheelError } from '@flywheel/base';
import type { SparsePack } from '../db/repack-rows.ts';
import { copyLiveFrames } from './copy-frames.ts';
import { isPassing, moveFrames, reportUnreadable, type MovingStore } from './move-frames.ts';
import type { Pace } from './pace.ts';

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

/**
 * Rewrites packs that are mostly dead: what is needed of them is copied into a new pack as it is.
 * Safe beside uploads and downloads; killed at any moment, it leaves the old pack as it was, and
 * of the new one a lease that tells what to remove.
 */
export async function repack(
  store: MovingStore,
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
async function tryRepack(store: MovingStore, pack: SparsePack, pace: Pace): Promise<boolean> {
  try {
    return await repackOne(store, pack, pace);
  } catch (error) {
    if (isFlywheelError(error, 'corrupt')) {
      await reportUnreadable(store, pack, error);
    } else if (isPassing(error)) {
      store.logger.warn('a pack was not rewritten; it is tried again', { pack: pack.key, error });
    } else {
      throw error;
    }
    return false;
  }
}

async function repackOne(store: MovingStore, source: SparsePack, pace: Pace): Promise<boolean> {
  return moveFrames(store, pace, {
    copy: (writer, lease) => copyLiveFrames(store, source, writer, { lease, pace }),
    commit: (to, { frames }) => store.metadata.commitRepack({ ...to, source: source.id, frames }),
  });
}
