import { FlywheelError } from '@flywheel/base';
import {
  decodePackIndex,
  PACK_FOOTER_BYTES,
  packIndexLength,
  type PackedFrame,
  type PackIndex,
} from '@flywheel/chunking';
import type { BlobReader } from '../blobs/blobs.ts';

/** A frame and where it begins in its pack. */
export interface PlacedFrame {
  readonly offset: number;
  readonly frame: PackedFrame;
}

export interface PackContents {
  readonly index: PackIndex;
  /** In order, from the first byte to the index. */
  readonly frames: readonly PlacedFrame[];
}

/** Read at once, and short enough that nobody waits while it is checked. */
const RUN_BYTES = 1024 * 1024;

/** What a pack says of itself, in two small reads. Throws `corrupt` when it contradicts itself. */
export async function readPackContents(reader: BlobReader, key: string): Promise<PackContents> {
  const footer = Buffer.alloc(PACK_FOOTER_BYTES);
  if (reader.size < footer.length) throw damaged(key, 'is too short');
  await reader.read(footer, reader.size - footer.length);
  const indexLength = packIndexLength(footer);
  if (indexLength > reader.size) throw damaged(key, 'has an index longer than itself');
  const bytes = Buffer.alloc(indexLength);
  await reader.read(bytes, reader.size - indexLength);
  const index = decodePackIndex(bytes);
  let offset = 0;
  const frames = index.frames.map((frame) => {
    const place = { offset, frame };
    offset += frame.length;
    return place;
  });
  if (offset + indexLength !== reader.size) throw damaged(key, 'has another size than its index');
  return { index, frames };
}

/** Neighbours, to be read in one go. */
export function* frameRuns(frames: readonly PlacedFrame[]): Generator<readonly PlacedFrame[]> {
  let run: PlacedFrame[] = [];
  let bytes = 0;
  let end = 0;
  for (const placed of frames) {
    const follows = placed.offset === end && bytes + placed.frame.length <= RUN_BYTES;
    if (run.length > 0 && !follows) {
      yield run;
      run = [];
      bytes = 0;
    }
    run.push(placed);
    bytes += placed.frame.length;
    end = placed.offset + placed.frame.length;
  }
  if (run.length > 0) yield run;
}

/** Bytes of a run of neighbours. */
export function runLength(run: readonly PlacedFrame[]): number {
  return run.reduce((sum, { frame }) => sum + frame.length, 0);
}

function damaged(key: string, what: string): FlywheelError {
  return new FlywheelError('corrupt', `pack ${key} ${what}`);
}
