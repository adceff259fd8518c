import { isFlywheelError } from '@flywheel/base';
import { encodePackIndex, type PackedFrame } from '@flywheel/chunking';
import type { BlobWriter } from '../blobs/blobs.ts';
import type { ChunkLocation, Pack } from '../db/metadata.ts';
import type { NarStore } from './nar-store.ts';
import type { Pace } from './pace.ts';
import { packKeyOf } from './pack-key.ts';
import { withUpload } from './with-upload.ts';

/** What moving frames from pack to pack needs of the store. */
export type MovingStore = Pick<NarStore, 'metadata' | 'blobs' | 'clock' | 'logger'>;

/** Frames that were copied into a new pack. */
export interface Copied {
  /** Of the new pack. */
  readonly size: number;
  readonly chunks: readonly ChunkLocation[];
}

/** A pack on its way: under which lease, and what it is. */
export interface NewPack {
  readonly lease: string;
  readonly pack: { readonly key: string; readonly size: number };
}

export interface Move<COPIED extends Copied> {
  /** Writes frames and their index; undefined when that cannot be done now. */
  readonly copy: (writer: BlobWriter, lease: string) => Promise<COPIED | undefined>;
  /** Lets the rows follow, and answers the pack's; undefined when they must not. */
  readonly commit: (to: NewPack, copied: COPIED) => Promise<number | undefined>;
}

/**
 * Moves frames into a new pack. Safe beside uploads and downloads; killed at any moment, it leaves what
 * was there as it was, and of the new pack a lease that tells what to remove. False when it has to be
 * tried another time.
 */
export async function moveFrames<COPIED extends Copied>(
  { metadata, blobs }: MovingStore,
  pace: Pace,
  { copy, commit }: Move<COPIED>,
): Promise<boolean> {
  const moved = await withUpload(metadata, undefined, async ({ lease }) => {
    const key = packKeyOf(lease);
    const writer = await blobs.create(key);
    try {
      const copied = await copy(writer, lease);
      if (copied === undefined) {
        await writer.abort();
        await metadata.abandonLease(lease);
        return undefined;
      }
      await writer.commit();
      const id = await commit({ lease, pack: { key, size: copied.size } }, copied);
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
  const { id, chunks } = moved;
  // After the commit, not in it: until then uploads only store these chunks once more.
  for (let at = 0; at < chunks.length; at += metadata.batchRows) {
    await metadata.moveChunks(id, chunks.slice(at, at + metadata.batchRows));
    await pace.rest();
  }
  return true;
}

/** The index of a pack that was made for no NAR. */
export function namelessIndex(frames: readonly PackedFrame[]): Buffer {
  const none = { narHash: Buffer.alloc(32), narSize: 0, foreign: [], sequence: [], origin: '' };
  return encodePackIndex({ ...none, frames });
}

/** Makes the NARs missing that need a pack which could not be read, and says so. */
export async function reportUnreadable(
  { metadata, logger }: Pick<MovingStore, 'metadata' | 'logger'>,
  pack: Pack,
  error: unknown,
): Promise<void> {
  const narsNowMissing = await metadata.markPackDamaged(pack.id);
  logger.error('a pack is damaged', { pack: pack.key, narsNowMissing, error });
}

/** Whether it is worth another try: a lease that has run out, or a full disk. What it left is reclaimed. */
export function isPassing(error: unknown): boolean {
  return isFlywheelError(error, 'conflict') || isFlywheelError(error, 'no-space');
}
