import { FlywheelError } from '@flywheel/base';
import { CUT_WASM } from './cut-wasm.ts';
import { gearTable } from './gear.ts';

/** Chunk sizes in bytes of uncompressed NAR. */
export interface ChunkSizes {
  readonly min: number;
  readonly avg: number;
  readonly max: number;
}

/**
 * 32 KiB on average. Of 340 MB of store paths and a second version of them (60,000 files in all, 5 % of
 * them changed), 16, 32 and 64 KiB stored 106.6 + 7.5, 102.3 + 11.1 and 99.7 + 17.3 MiB at level 5
 * (2026-11): the sum is least here, and halving once more would double the rows for nothing.
 */
export const DEFAULT_CHUNK_SIZES: ChunkSizes = { min: 8 * 1024, avg: 32 * 1024, max: 128 * 1024 };

/** The sizes as given, or `invalid-input` where they make no sense. */
export function checkChunkSizes(sizes: ChunkSizes): ChunkSizes {
  const { min, avg, max } = sizes;
  const ordered = min >= 64 && min < avg && avg < max && max <= 16 * 1024 * 1024;
  if (!ordered || !Number.isInteger(Math.log2(avg))) {
    throw new FlywheelError(
      'invalid-input',
      `chunk sizes ${min}/${avg}/${max} do not work: 64 <= min < avg < max <= 16 MiB, and avg a power of two`,
    );
  }
  return sizes;
}

interface CutExports {
  readonly memory: WebAssembly.Memory;
  cut(
    this: void,
    start: number,
    end: number,
    min: number,
    avg: number,
    strict: bigint,
    loose: bigint,
  ): number;
}

const PAGE = 65_536;
const GEAR_BYTES = 256 * 8;
const compiled = new WebAssembly.Module(Buffer.from(CUT_WASM, 'base64'));
const gear = new Uint8Array(gearTable().buffer);

/**
 * Cuts one byte stream into content-defined chunks (FastCDC). The same bytes give the same chunks
 * however they arrive in pieces, and an edit moves only the boundaries near it.
 *
 * A chunker serves one stream at a time: push pieces, then finish, then it may be used again.
 */
export class Chunker {
  readonly #sizes: ChunkSizes;
  readonly #strict: bigint;
  readonly #loose: bigint;
  readonly #cut: CutExports['cut'];
  readonly #window: Buffer;
  #start = GEAR_BYTES;
  #end = GEAR_BYTES;

  constructor(sizes: ChunkSizes = DEFAULT_CHUNK_SIZES) {
    this.#sizes = checkChunkSizes(sizes);
    const bits = Math.log2(sizes.avg);
    // Normalization level 1: harder to cut before the average size, easier after it.
    this.#strict = topBits(bits + 1);
    this.#loose = topBits(bits - 1);
    const { exports } = new WebAssembly.Instance(compiled);
    const { memory, cut } = exports as unknown as CutExports;
    this.#cut = cut;
    // Twice the largest chunk: a byte is moved to the front once at most, and each upload has a window.
    const pages = Math.ceil((GEAR_BYTES + 2 * sizes.max) / PAGE);
    memory.grow(pages - memory.buffer.byteLength / PAGE);
    this.#window = Buffer.from(memory.buffer);
    this.#window.set(gear, 0);
  }

  /**
   * Takes the next bytes and gives the chunks that are complete. A chunk is a view of the window,
   * valid until the next one is asked for: copy what must live longer.
   */
  *push(bytes: Uint8Array): Generator<Buffer, void, undefined> {
    let taken = 0;
    while (taken < bytes.length) {
      const room = this.#window.length - this.#end;
      const piece = bytes.subarray(taken, taken + room);
      this.#window.set(piece, this.#end);
      this.#end += piece.length;
      taken += piece.length;
      // A chunk is cut only with `max` bytes at hand, so the split of the input cannot matter.
      while (this.#end - this.#start >= this.#sizes.max) yield this.#take();
      if (this.#end === this.#window.length) this.#moveToFront();
    }
  }

  /** The chunks of what is left, views like those of `push`. The chunker is then as new. */
  *finish(): Generator<Buffer, void, undefined> {
    while (this.#end > this.#start) yield this.#take();
    this.reset();
  }

  /** Forgets an unfinished stream. */
  reset(): void {
    this.#start = GEAR_BYTES;
    this.#end = GEAR_BYTES;
  }

  #take(): Buffer {
    const { min, avg, max } = this.#sizes;
    const limit = Math.min(this.#end, this.#start + max);
    const end = this.#cut(this.#start, limit, min, avg, this.#strict, this.#loose);
    const chunk = this.#window.subarray(this.#start, end);
    this.#start = end;
    return chunk;
  }

  #moveToFront(): void {
    this.#window.copyWithin(GEAR_BYTES, this.#start, this.#end);
    this.#end -= this.#start - GEAR_BYTES;
    this.#start = GEAR_BYTES;
  }
}

function topBits(count: number): bigint {
  return ((1n << BigInt(count)) - 1n) << BigInt(64 - count);
}
