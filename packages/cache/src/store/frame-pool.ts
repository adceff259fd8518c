import type { EncodedFrame, Region } from '../threads/frame-jobs.ts';
import type { Threads } from '../threads/threads.ts';

/**
 * Memory for one batch of chunks: `input` holds the plain chunks, `output` their frames. Slots are
 * the bound on what all uploads together hold in memory.
 */
export interface Slot {
  readonly input: Buffer;
  readonly output: Buffer;
  /** Where `input` and `output` begin in the shared memory. */
  readonly inputOffset: number;
  readonly outputOffset: number;
  /** Bytes of `input` in use. */
  used: number;
  readonly sizes: number[];
}

/** How much of the pool's memory is in use, and how many wait for some. */
export interface FramePoolUsage {
  readonly slots: number;
  readonly used: number;
  readonly waiting: number;
}

/** Hashes and compresses batches of chunks on all cores. */
export interface FramePool {
  /** Waits for free memory. */
  acquire(): Promise<Slot>;
  release(slot: Slot): void;
  /** SHA-256 of each chunk in the slot, in order. */
  hashes(slot: Slot): Promise<readonly Buffer[]>;
  /** Compresses chunks of the slot (by their position) into `output`, one after the other. */
  encode(slot: Slot, chunks: readonly number[]): Promise<readonly EncodedFrame[]>;
  usage(): FramePoolUsage;
}

export interface FramePoolOptions {
  readonly level: number;
  /** Bytes of chunks in a batch; at least the largest chunk. */
  readonly slotBytes: number;
  readonly threads: Threads;
}

/** Enough that each thread finds its next batch waiting while one is written and one is filled. */
const SLOTS_PER_THREAD = 2;

/**
 * Room for frames of incompressible chunks. ZSTD_COMPRESSBOUND (zstd.h) is size + size / 256, and
 * 64 bytes more for small inputs; chunks have at least 64 bytes but the last one of a NAR.
 */
function outputBytes(slotBytes: number): number {
  return 2 * slotBytes + 1024;
}

export function createFramePool({ level, slotBytes, threads }: FramePoolOptions): FramePool {
  const slotCount = threads.limit * SLOTS_PER_THREAD;
  const stride = slotBytes + outputBytes(slotBytes);
  // Only what is written to becomes resident.
  const memory = new SharedArrayBuffer(slotCount * stride);
  threads.tell('shareMemory', { level, memory });
  const free = Array.from({ length: slotCount }, (_, i) =>
    makeSlot(memory, i * stride, slotBytes, stride),
  );
  const waiting: ((slot: Slot) => void)[] = [];

  return {
    async acquire() {
      // The one given back last: its memory is resident already.
      return free.pop() ?? new Promise((resolve) => waiting.push(resolve));
    },

    release(slot) {
      slot.used = 0;
      slot.sizes.length = 0;
      const next = waiting.shift();
      if (next === undefined) free.push(slot);
      else next(slot);
    },

    async hashes(slot) {
      const { buffer, byteOffset } = await threads.run('hashChunks', regionsOf(slot));
      return slot.sizes.map((_, i) => Buffer.from(buffer as ArrayBuffer, byteOffset + i * 32, 32));
    },

    async encode(slot, positions) {
      if (positions.length === 0) return [];
      const regions = regionsOf(slot);
      const chunks = positions.map((i) => regions[i] as Region);
      return await threads.run('encodeChunks', { chunks, output: slot.outputOffset });
    },

    usage: () => ({ slots: slotCount, used: slotCount - free.length, waiting: waiting.length }),
  };
}

function makeSlot(
  memory: SharedArrayBuffer,
  start: number,
  slotBytes: number,
  stride: number,
): Slot {
  const inputOffset = start;
  const outputOffset = start + slotBytes;
  return {
    input: Buffer.from(memory, inputOffset, slotBytes),
    output: Buffer.from(memory, outputOffset, stride - slotBytes),
    inputOffset,
    outputOffset,
    used: 0,
    sizes: [],
  };
}

function regionsOf(slot: Slot): readonly Region[] {
  let offset = slot.inputOffset;
  return slot.sizes.map((size) => {
    const region = { offset, size };
    offset += size;
    return region;
  });
}
