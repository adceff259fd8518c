import { silentLogger, type Clock } from '@flywheel/base';
import { DEFAULT_CHUNK_SIZES, DEFAULT_ZSTD_LEVEL } from '@flywheel/chunking';
import type { Stores } from '../open-stores.ts';
import { ChunkerPool } from '../store/chunker-pool.ts';
import { createFramePool, type FramePool } from '../store/frame-pool.ts';
import type { NarStore } from '../store/nar-store.ts';
import { OpenPacks } from '../store/open-packs.ts';

const BATCH_BYTES = 1024 * 1024;

/** The store as a server has it, without one. Worker threads start when the first NAR is copied. */
export function openImportStore(
  { metadata, blobs }: Stores,
  clock: Clock,
): NarStore & AsyncDisposable {
  const packs = new OpenPacks({ metadata, blobs, clock, logger: silentLogger });
  let frames: FramePool | undefined;
  return {
    metadata,
    blobs,
    packs,
    chunkers: new ChunkerPool(DEFAULT_CHUNK_SIZES),
    get frames() {
      const slotBytes = Math.max(BATCH_BYTES, DEFAULT_CHUNK_SIZES.max);
      frames ??= createFramePool({ level: DEFAULT_ZSTD_LEVEL, slotBytes });
      return frames;
    },
    clock,
    logger: silentLogger,
    async [Symbol.asyncDispose]() {
      await packs.close();
      await frames?.close();
    },
  };
}
