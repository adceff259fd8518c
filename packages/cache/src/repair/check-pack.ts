import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { crc32, zstdDecompress } from 'node:zlib';
import { freePiece, isFlywheelError, messageOf } from '@flywheel/base';
import { parseAtticKey } from '../blobs/attic-place.ts';
import type { BlobReader, Blobs } from '../blobs/blobs.ts';
import type { ChunkLocation, Pack } from '../db/metadata.ts';
import type { PackRange } from '../db/repair-rows.ts';
import {
  frameRuns,
  readPackContents,
  runLength,
  type PackContents,
  type PlacedFrame,
} from '../store/pack-frames.ts';
import { plainDigest } from '../store/plain-digest.ts';
import type { ByteRate } from './byte-rate.ts';

export interface PackCheck {
  /** Bytes that were read. */
  readonly bytes: number;
  /** What is wrong, for a person; undefined: nothing. */
  readonly fault: string | undefined;
  /** Where. */
  readonly damaged: readonly PackRange[];
}

export interface CheckOptions {
  /** Decompress every frame and compare the hash of its chunk, instead of its CRC-32 alone. */
  readonly deep: boolean;
  readonly rate: ByteRate;
  /** What the database says lies in the pack, where that is to be compared. */
  readonly chunks?: readonly ChunkLocation[];
}

const decompress = promisify(zstdDecompress);

const PIECE_BYTES = 1024 * 1024;

const EVERYTHING: PackRange = { start: 0, end: Number.POSITIVE_INFINITY };

/**
 * Reads a whole pack and compares it with its index, and its index with the database. Changes
 * nothing. Throws when the blobs cannot be read at all now; damage is an answer.
 */
export async function checkPack(
  blobs: Pick<Blobs, 'open'>,
  pack: Pack,
  options: CheckOptions,
): Promise<PackCheck> {
  const reader = await blobs.open(pack.key);
  if (reader === undefined) return faulty('is missing');
  try {
    if (reader.size !== pack.size) return faulty(`has ${reader.size} of ${pack.size} bytes`);
    if (parseAtticKey(pack.key) !== undefined) return await checkAtticObject(reader, options);
    const contents = await readPackContents(reader, pack.key);
    const disagreeing = disagreementOf(contents, options.chunks ?? []);
    if (disagreeing !== undefined) return faulty(disagreeing);
    const damaged: PackRange[] = [];
    for (const run of frameRuns(contents.frames)) {
      await options.rate.spend(runLength(run));
      const bytes = Buffer.allocUnsafeSlow(runLength(run));
      for (const placed of await damagedFrames(reader, run, bytes, options.deep)) {
        damaged.push(placed);
      }
      freePiece(bytes);
    }
    const where = damaged.map(({ start }) => start).slice(0, 3);
    const fault = damaged.length === 0 ? undefined : `is damaged at byte ${where.join(', ')}`;
    return { bytes: reader.size, fault, damaged };
  } catch (error) {
    if (!isFlywheelError(error, 'corrupt') && !isDiskFault(error)) throw error;
    return faulty(messageOf(error));
  } finally {
    await reader.close().catch(() => {});
  }
}

/** It has neither index nor checksum: only its chunk, decompressed, tells. */
async function checkAtticObject(
  reader: BlobReader,
  { rate, chunks = [] }: CheckOptions,
): Promise<PackCheck> {
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < reader.size; at += PIECE_BYTES) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, reader.size - at));
      await rate.spend(piece.length);
      await reader.read(piece, at, reader.size);
      yield piece;
    }
  }
  const plain = await plainDigest(pieces());
  if (plain === undefined) return faulty('does not decompress');
  const [chunk] = chunks;
  // Of a chunk that Attic has several times, only one is known by its hash.
  if (chunk !== undefined && !chunk.hash.equals(plain.hash)) return faulty('has changed');
  return { bytes: reader.size, fault: undefined, damaged: [] };
}

async function damagedFrames(
  reader: BlobReader,
  run: readonly PlacedFrame[],
  bytes: Buffer,
  deep: boolean,
): Promise<readonly PackRange[]> {
  const start = run[0]?.offset ?? 0;
  try {
    await reader.read(bytes, start, reader.size);
  } catch (error) {
    if (!isDiskFault(error)) throw error;
    return run.map(rangeOf);
  }
  const damaged: PackRange[] = [];
  for (const placed of run) {
    const at = placed.offset - start;
    const frame = bytes.subarray(at, at + placed.frame.length);
    const isIntact =
      crc32(frame) === placed.frame.crc && (!deep || (await holdsChunk(frame, placed)));
    if (!isIntact) damaged.push(rangeOf(placed));
  }
  return damaged;
}

async function holdsChunk(bytes: Buffer, { frame }: PlacedFrame): Promise<boolean> {
  const chunk = await decompress(bytes, { maxOutputLength: Math.max(1, frame.size) }).catch(
    () => undefined,
  );
  if (chunk?.length !== frame.size) return false;
  return createHash('sha256').update(chunk).digest().equals(frame.hash);
}

/** Uploads believe the database: a chunk that is not where it says would end up in their NARs. */
function disagreementOf(
  { frames }: PackContents,
  chunks: readonly ChunkLocation[],
): string | undefined {
  const byOffset = new Map(frames.map(({ offset, frame }) => [offset, frame]));
  for (const { hash, offset, length, size } of chunks) {
    const frame = byOffset.get(offset);
    const isThere = frame?.length === length && frame.size === size && frame.hash.equals(hash);
    if (!isThere) return `has an index that disagrees with the database about byte ${offset}`;
  }
  return undefined;
}

function rangeOf({ offset, frame }: PlacedFrame): PackRange {
  return { start: offset, end: offset + frame.length };
}

function faulty(fault: string): PackCheck {
  return { bytes: 0, fault, damaged: [EVERYTHING] };
}

/** What a disk says of a sector that it cannot read. */
function isDiskFault(error: unknown): boolean {
  const { code, cause } = Object(error) as { code?: unknown; cause?: { code?: unknown } };
  return code === 'EIO' || cause?.code === 'EIO';
}
