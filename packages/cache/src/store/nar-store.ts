import type { Clock, Logger } from '@flywheel/base';
import type { Blobs } from '../blobs/blobs.ts';
import type { Metadata } from '../db/metadata.ts';
import type { ChunkerPool } from './chunker-pool.ts';
import type { FramePool } from './frame-pool.ts';
import type { OpenPacks } from './open-packs.ts';

/** The store: what is known, where the bytes are, and how new bytes are laid down. */
export interface NarStore {
  readonly metadata: Metadata;
  readonly blobs: Blobs;
  readonly packs: OpenPacks;
  readonly chunkers: ChunkerPool;
  readonly frames: FramePool;
  readonly clock: Clock;
  readonly logger: Logger;
}
