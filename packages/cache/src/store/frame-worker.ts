// Runs in a worker thread: hashes and compresses the chunks of one batch. Everything big stays in
// memory shared with the main thread; messages carry numbers only.
import { hash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { encodeFrame } from '@flywheel/chunking';

export interface FrameWorkerData {
  readonly level: number;
}

/** A batch: chunks one after the other from the start of `input`. */
export interface HashRequest {
  readonly kind: 'hash';
  readonly id: number;
  readonly input: SharedArrayBuffer;
  readonly sizes: readonly number[];
}

/** Compresses some chunks of a batch, one frame after the other into `output`. */
export interface EncodeRequest {
  readonly kind: 'encode';
  readonly id: number;
  readonly input: SharedArrayBuffer;
  readonly output: SharedArrayBuffer;
  readonly chunks: readonly { readonly offset: number; readonly size: number }[];
}

export type FrameRequest = HashRequest | EncodeRequest;

export type FrameReply =
  | { readonly id: number; readonly hashes: Uint8Array }
  | { readonly id: number; readonly frames: readonly EncodedFrame[] }
  | { readonly id: number; readonly error: string };

/** A frame's length and the CRC-32 of its bytes. */
export interface EncodedFrame {
  readonly length: number;
  readonly crc: number;
}

function hashChunks({ input, sizes }: HashRequest): Uint8Array {
  const hashes = new Uint8Array(sizes.length * 32);
  let offset = 0;
  for (const [i, size] of sizes.entries()) {
    hashes.set(hash('sha256', Buffer.from(input, offset, size), 'buffer'), i * 32);
    offset += size;
  }
  return hashes;
}

function encodeChunks({ input, output, chunks }: EncodeRequest, level: number): EncodedFrame[] {
  const target = Buffer.from(output);
  let at = 0;
  return chunks.map(({ offset, size }) => {
    const frame = encodeFrame(Buffer.from(input, offset, size), level);
    target.set(frame, at);
    at += frame.length;
    const encoded = { length: frame.length, crc: crc32(frame) };
    free(frame);
    return encoded;
  });
}

/**
 * Returns the buffer's memory at once. zlib's handles keep their output alive until a full garbage
 * collection; 40 MB piled up in each worker. Buffers from the shared pool are left alone.
 */
function free(frame: Buffer): void {
  if (frame.buffer.byteLength > Buffer.poolSize) (frame.buffer as ArrayBuffer).transfer(0);
}

function answer(request: FrameRequest, level: number): FrameReply {
  const { id } = request;
  try {
    return request.kind === 'hash'
      ? { id, hashes: hashChunks(request) }
      : { id, frames: encodeChunks(request, level) };
  } catch (error) {
    return { id, error: String(error) };
  }
}

const { level } = workerData as FrameWorkerData;
parentPort?.on('message', (request: FrameRequest) => {
  parentPort?.postMessage(answer(request, level));
});
