import { crc32 } from 'node:zlib';
import { FlywheelError, freePiece } from '@flywheel/base';
import type { BlobReader, BlobWriter } from '../blobs/blobs.ts';
import { LEASE_MS } from '../db/leases.ts';
import { NEW_PACK } from '../db/metadata.ts';
import type { Repacking, SparsePack } from '../db/repack-rows.ts';
import { namelessIndex, type Copied, type MovingStore } from './move-frames.ts';
import { frameRuns, readPackContents, runLength, type PlacedFrame } from './pack-frames.ts';
import type { Pace } from './pace.ts';

export interface CopiedFrames extends Copied {
  readonly frames: Repacking['frames'];
}

/**
 * Writes the frames of a pack in which NARs lie, as they are, and an index that names no NAR: of
 * the one that the source was made for, nothing is left. Every frame is checked against the CRC in
 * the source's index; throws `corrupt` when one differs, or the source is not what is recorded.
 */
export async function copyLiveFrames(
  { blobs, metadata, clock }: MovingStore,
  source: SparsePack,
  writer: BlobWriter,
  { lease, pace }: { readonly lease: string; readonly pace: Pace },
): Promise<CopiedFrames> {
  const reader = await blobs.open(source.key);
  try {
    if (reader?.size !== source.size) throw damaged(source, 'is missing or has another size');
    const placed = liveFrames(source, (await readPackContents(reader, source.key)).frames);
    const frames: Repacking['frames'][number][] = [];
    let newOffset = 0;
    let renewedAt = clock.now();
    for (const run of frameRuns(placed)) {
      const bytes = await readRun(reader, source, run);
      await writer.write([bytes]);
      freePiece(bytes);
      for (const { offset, frame } of run) {
        frames.push({ offset, length: frame.length, newOffset });
        newOffset += frame.length;
      }
      if (clock.now() - renewedAt > LEASE_MS / 4) {
        await metadata.renewLease(lease);
        renewedAt = clock.now();
      }
      await pace.rest();
    }
    const index = namelessIndex(placed.map(({ frame }) => frame));
    await writer.write([index]);
    const chunks = placed.map(({ frame: { hash, size } }, i) => {
      const { newOffset: offset, length } = frames[i] as (typeof frames)[number];
      return { hash, pack: NEW_PACK, offset, length, size };
    });
    return { size: newOffset + index.length, frames, chunks };
  } finally {
    await reader?.close();
  }
}

/** Those that a live range touches; both are in order. */
function liveFrames(source: SparsePack, frames: readonly PlacedFrame[]): readonly PlacedFrame[] {
  let at = 0;
  return frames.filter(({ offset, frame }) => {
    const endOf = (i: number): number => {
      const range = source.live[i];
      return range === undefined ? Infinity : range.offset + range.length;
    };
    while (endOf(at) <= offset) at += 1;
    const range = source.live[at];
    return range !== undefined && range.offset < offset + frame.length;
  });
}

async function readRun(
  reader: BlobReader,
  source: SparsePack,
  run: readonly PlacedFrame[],
): Promise<Buffer> {
  const start = run[0]?.offset ?? 0;
  const bytes = Buffer.allocUnsafeSlow(runLength(run));
  await reader.read(bytes, start);
  for (const { offset, frame } of run) {
    const at = offset - start;
    if (crc32(bytes.subarray(at, at + frame.length)) !== frame.crc) {
      throw damaged(source, `is damaged at byte ${offset}`);
    }
  }
  return bytes;
}

function damaged({ key }: SparsePack, what: string): FlywheelError {
  return new FlywheelError('corrupt', `pack ${key} ${what}`);
}
