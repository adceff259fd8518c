// Everything big stays in memory that is shared with the main thread; messages carry numbers only.
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { encodeFrame } from '@flywheel/chunking/frame';

export interface FrameMemory {
  /** Of zstd. */
  readonly level: number;
  /** All slots of the pool. */
  readonly memory: SharedArrayBuffer;
}

/** Bytes of the shared memory. */
export interface Region {
  readonly offset: number;
  readonly size: number;
}

/** Chunks to compress, and where to lay their frames, one after the other. */
export interface ChunksToEncode {
  readonly chunks: readonly Region[];
  readonly output: number;
}

/** A frame's length and the CRC-32 of its bytes. */
export interface EncodedFrame {
  readonly length: number;
  readonly crc: number;
}

let level = 0;
let shared: Buffer = Buffer.alloc(0);

/** Handed over once, before the other jobs here. */
export function shareMemory(given: FrameMemory): void {
  level = given.level;
  shared = Buffer.from(given.memory);
}

/** SHA-256 of each chunk, 32 bytes each, in order. */
export function hashChunks(chunks: readonly Region[]): Uint8Array {
  const hashes = new Uint8Array(chunks.length * 32);
  for (const [i, { offset, size }] of chunks.entries()) {
    hashes.set(hash('sha256', shared.subarray(offset, offset + size), 'buffer'), i * 32);
  }
  return hashes;
}

/** Compresses each chunk into a frame of its own. */
export function encodeChunks({ chunks, output }: ChunksToEncode): readonly EncodedFrame[] {
  let at = output;
  return chunks.map(({ offset, size }) => {
    const frame = encodeFrame(shared.subarray(offset, offset + size), level);
    shared.set(frame, at);
    at += frame.length;
    const encoded = { length: frame.length, crc: crc32(frame) };
    free(frame);
    return encoded;
  });
}

/**
 * Returns the buffer's memory at once. zlib's handles keep their output alive until a full garbage
 * collection; 40 MB piled up in each thread. Buffers from the shared pool are left alone.
 */
function free(frame: Buffer): void {
  if (frame.buffer.byteLength > Buffer.poolSize) (frame.buffer as ArrayBuffer).transfer(0);
}
