import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { FlywheelError } from '@flywheel/base';
import type {
  EncodedFrame,
  FrameReply,
  FrameRequest,
  FrameWorkerData,
  Region,
} from './frame-worker.ts';

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
  close(): Promise<void>;
}

export interface FramePoolOptions {
  readonly level: number;
  /** Bytes of chunks in a batch; at least the largest chunk. */
  readonly slotBytes: number;
  readonly workers?: number;
}

/** Enough that each worker finds its next batch waiting while one is written and one is filled. */
const SLOTS_PER_WORKER = 3;

/**
 * Room for frames of incompressible chunks. ZSTD_COMPRESSBOUND (zstd.h) is size + size / 256, and
 * 64 bytes more for small inputs; chunks have at least 64 bytes but the last one of a NAR.
 */
function outputBytes(slotBytes: number): number {
  return 2 * slotBytes + 1024;
}

export function createFramePool({ level, slotBytes, ...options }: FramePoolOptions): FramePool {
  const count = options.workers ?? availableParallelism();
  const slotCount = count * SLOTS_PER_WORKER;
  const stride = slotBytes + outputBytes(slotBytes);
  // Only what is written to becomes resident.
  const memory = new SharedArrayBuffer(slotCount * stride);
  const free = Array.from({ length: slotCount }, (_, i) =>
    makeSlot(memory, i * stride, slotBytes, stride),
  );
  const waiting: ((slot: Slot) => void)[] = [];
  const workers: PoolWorker[] = [];
  let closed = false;

  /** The worker with the least to do; started when first needed. */
  function pick(): PoolWorker {
    if (closed) throw new FlywheelError('unavailable', 'the server is shutting down');
    const idle = workers.find((worker) => worker.pending === 0);
    if (idle !== undefined) return idle;
    if (workers.length < count) {
      const worker = new PoolWorker({ level, memory }, () =>
        workers.splice(workers.indexOf(worker), 1),
      );
      workers.push(worker);
      return worker;
    }
    return workers.reduce((least, worker) => (worker.pending < least.pending ? worker : least));
  }

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
      const reply = await pick().ask({ kind: 'hash', id: 0, chunks: regionsOf(slot) });
      if (!('hashes' in reply)) throw unexpected();
      const { buffer, byteOffset } = reply.hashes;
      return slot.sizes.map((_, i) => Buffer.from(buffer as ArrayBuffer, byteOffset + i * 32, 32));
    },

    async encode(slot, positions) {
      if (positions.length === 0) return [];
      const regions = regionsOf(slot);
      const chunks = positions.map((i) => regions[i] as Region);
      const reply = await pick().ask({ kind: 'encode', id: 0, chunks, output: slot.outputOffset });
      if (!('frames' in reply)) throw unexpected();
      return reply.frames;
    },

    usage: () => ({ slots: slotCount, used: slotCount - free.length, waiting: waiting.length }),

    async close() {
      closed = true;
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** One thread and the answers it owes. */
class PoolWorker {
  readonly #worker: Worker;
  readonly #owed = new Map<number, PromiseWithResolvers<FrameReply>>();
  #lastId = 0;

  constructor(workerData: FrameWorkerData, onGone: () => void) {
    this.#worker = new Worker(new URL('./frame-worker.ts', import.meta.url), {
      workerData,
      name: 'frames',
      // Its garbage is one buffer a chunk: a larger young generation would let hundreds pile up.
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 64 },
    });
    this.#worker.unref();
    this.#worker.on('message', (reply: FrameReply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#failAll(error));
    this.#worker.on('exit', () => {
      onGone();
      this.#failAll(new FlywheelError('unavailable', 'a compression thread ended'));
    });
  }

  get pending(): number {
    return this.#owed.size;
  }

  async ask(request: FrameRequest): Promise<FrameReply> {
    const id = (this.#lastId += 1);
    const reply = Promise.withResolvers<FrameReply>();
    this.#owed.set(id, reply);
    this.#worker.postMessage({ ...request, id });
    return reply.promise;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(reply: FrameReply): void {
    const owed = this.#owed.get(reply.id);
    this.#owed.delete(reply.id);
    if ('error' in reply) {
      owed?.reject(new FlywheelError('internal', `compress a chunk: ${reply.error}`));
    } else {
      owed?.resolve(reply);
    }
  }

  #failAll(error: unknown): void {
    for (const owed of this.#owed.values()) owed.reject(error);
    this.#owed.clear();
  }
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

function unexpected(): FlywheelError {
  return new FlywheelError('internal', 'a compression thread gave an answer of another kind');
}
