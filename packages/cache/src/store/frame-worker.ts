// Runs in a worker thread: hashes and compresses the chunks of one batch. Everything big stays in
// memory shared with the main thread; messages carry numbers only.
import { hash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { encodeFrame } from '@flywheel/chunking/frame';

export interface FrameWorkerData {
  readonly level: number;
  /** All slots of the pool, handed over once: messages carry only numbers. */
  readonly memory: SharedArrayBuffer;
}

/** Bytes of the shared memory. */
export interface Region {
  readonly offset: number;
  readonly size: number;
}

/** SHA-256 of each chunk. */
export interface HashRequest {
  readonly kind: 'hash';
  readonly id: number;
  readonly chunks: readonly Region[];
}

/** Compresses chunks, one frame after the other from `output` on. */
export interface EncodeRequest {
  readonly kind: 'encode';
  readonly id: number;
  readonly chunks: readonly Region[];
  readonly output: number;
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

const { level, memory } = workerData as FrameWorkerData;
const shared = Buffer.from(memory);

function hashChunks({ chunks }: HashRequest): Uint8Array {
  const hashes = new Uint8Array(chunks.length * 32);
  for (const [i, { offset, size }] of chunks.entries()) {
    hashes.set(hash('sha256', shared.subarray(offset, offset + size), 'buffer'), i * 32);
  }
  return hashes;
}

function encodeChunks({ chunks, output }: EncodeRequest): EncodedFrame[] {
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
 * collection; 40 MB piled up in each worker. Buffers from the shared pool are left alone.
 */
function free(frame: Buffer): void {
  if (frame.buffer.byteLength > Buffer.poolSize) (frame.buffer as ArrayBuffer).transfer(0);
}

function answer(request: FrameRequest): FrameReply {
  const { id } = request;
  try {
    return request.kind === 'hash'
      ? { id, hashes: hashChunks(request) }
      : { id, frames: encodeChunks(request) };
  } catch (error) {
    return { id, error: String(error) };
  }
}

parentPort?.on('message', (request: FrameRequest) => {
  parentPort?.postMessage(answer(request));
});
