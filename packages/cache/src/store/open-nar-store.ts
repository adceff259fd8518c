import type { Clock, Logger } from '@flywheel/base';
import {
  checkChunkSizes,
  DEFAULT_CHUNK_SIZES,
  DEFAULT_ZSTD_LEVEL,
  type ChunkSizes,
} from '@flywheel/chunking';
import type { Stores } from '../open-stores.ts';
import { ChunkerPool } from './chunker-pool.ts';
import { createFramePool } from './frame-pool.ts';
import type { NarStore } from './nar-store.ts';
import { OpenPacks } from './open-packs.ts';

export interface NarStoreOptions {
  readonly chunkSizes?: ChunkSizes | undefined;
  readonly zstdLevel?: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A pack was found damaged when it was read. */
  readonly onDamage?: () => void;
}

/** Chunks that are hashed, looked up and compressed together. */
const BATCH_BYTES = 512 * 1024;

/** The store over open backends. */
export function openNarStore(
  { metadata, blobs, threads }: Pick<Stores, 'metadata' | 'blobs' | 'threads'>,
  { chunkSizes, zstdLevel, clock, logger, onDamage }: NarStoreOptions,
): NarStore & AsyncDisposable {
  const sizes = checkChunkSizes(chunkSizes ?? DEFAULT_CHUNK_SIZES);
  const frames = createFramePool({
    level: zstdLevel ?? DEFAULT_ZSTD_LEVEL,
    slotBytes: Math.max(BATCH_BYTES, sizes.max),
    threads,
  });
  const packs = new OpenPacks({ metadata, blobs, clock, logger, onDamage });
  return {
    metadata,
    blobs,
    packs,
    chunkers: new ChunkerPool(sizes),
    frames,
    clock,
    logger,
    [Symbol.asyncDispose]: () => packs.close(),
  };
}
