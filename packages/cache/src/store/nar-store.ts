import type { Clock, Logger } from '@flywheel/base';
import type { ChunkSizes } from '@flywheel/chunking';
import type { Blobs } from '../blobs/blobs.ts';
import type { Metadata } from '../db/metadata.ts';
import type { FramePool } from './frame-pool.ts';
import type { OpenPacks } from './open-packs.ts';

/** The store: what is known, where the bytes are, and how new bytes are laid down. */
export interface NarStore {
  readonly metadata: Metadata;
  readonly blobs: Blobs;
  readonly packs: OpenPacks;
  readonly chunkSizes: ChunkSizes;
  readonly frames: FramePool;
  readonly clock: Clock;
  readonly logger: Logger;
}
