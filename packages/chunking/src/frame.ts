import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { FlywheelError } from '@flywheel/base';

/** The level at which more CPU stops saving much: 1 and 3 are faster, 8 stores 3 % less. */
export const DEFAULT_ZSTD_LEVEL = 5;

/**
 * Size of the compressor's output buffer: all of the frame at once (ZSTD_COMPRESSBOUND of zstd.h),
 * and above the size of Node's shared pool, so that the frame has memory of its own, which a worker
 * can give back at once.
 */
function outputBytes(chunkBytes: number): number {
  return Math.max(Buffer.poolSize, chunkBytes + (chunkBytes >> 8)) + 128;
}

/**
 * One chunk as one independent zstd frame (RFC 8878). Frames simply follow each other in a pack, so
 * any run of chunks is a valid zstd stream. Synchronous: it is called from worker threads.
 */
export function encodeFrame(chunk: Uint8Array, level: number): Buffer {
  return zstdCompressSync(chunk, {
    // The known size shrinks the compressor's tables to the chunk, and lands in the frame header.
    pledgedSrcSize: chunk.length,
    chunkSize: outputBytes(chunk.length),
    params: { [constants.ZSTD_c_compressionLevel]: level },
  });
}

/** The chunk in a frame; `corrupt` when the frame is damaged or does not hold `size` bytes. */
export function decodeFrame(frame: Uint8Array, size: number): Buffer {
  let chunk: Buffer;
  try {
    chunk = zstdDecompressSync(frame, { maxOutputLength: Math.max(1, size) });
  } catch (cause) {
    throw new FlywheelError('corrupt', 'a stored zstd frame does not decompress', { cause });
  }
  if (chunk.length !== size) {
    throw new FlywheelError(
      'corrupt',
      `a stored chunk has ${chunk.length} bytes instead of ${size}`,
    );
  }
  return chunk;
}
