import {
  encodePackIndex,
  SegmentList,
  totalLength,
  type PackedFrame,
  type Segment,
} from '@flywheel/chunking';
import type { BlobWriter } from '../blobs/blobs.ts';
import { NEW_PACK, type ChunkLocation } from '../db/metadata.ts';
import type { FramePool, Slot } from './frame-pool.ts';
import type { EncodedFrame } from '../threads/frame-jobs.ts';

export interface PackBuilderParts {
  readonly writer: BlobWriter;
  /** Which of these chunks the store has. */
  readonly findChunks: (hashes: readonly Buffer[]) => Promise<readonly ChunkLocation[]>;
  readonly frames: FramePool;
}

export interface BuiltPack {
  readonly size: number;
  /** Chunks whose frames are in this pack, in the order of their hashes. */
  readonly chunks: readonly ChunkLocation[];
  /** The NAR in order. */
  readonly segments: readonly Segment[];
  readonly fileSize: number;
  /** Bytes of the NAR that were stored already, here or in another pack. */
  readonly reusedBytes: number;
}

/** A chunk that goes into this pack. */
interface NewChunk {
  /** Its hash, as the key that the builder knows it by. */
  readonly key: string;
  readonly size: number;
  /** Which one of its batch it is. */
  readonly position: number;
}

/**
 * Where a chunk is. A NAR of 4 GiB has 131,000 until it is committed: the hash is kept once, as the
 * key, because a Buffer of 32 bytes takes four times as much.
 */
class ChunkPlace implements ChunkLocation {
  readonly key: string;
  readonly size: number;
  readonly pack: number;
  readonly offset: number;
  readonly length: number;

  constructor(key: string, { size, pack, offset, length }: Omit<ChunkLocation, 'hash'>) {
    this.key = key;
    this.size = size;
    this.pack = pack;
    this.offset = offset;
    this.length = length;
  }

  get hash(): Buffer {
    return Buffer.from(this.key, 'latin1');
  }
}

/** A chunk in the pack that is being written. */
class NewFrame extends ChunkPlace implements PackedFrame {
  readonly crc: number;

  constructor({ key, size }: NewChunk, offset: number, { length, crc }: EncodedFrame) {
    super(key, { size, pack: NEW_PACK, offset, length });
    this.crc = crc;
  }
}

/**
 * Writes one NAR's chunks into one pack: new ones as zstd frames, known ones by reference. Add the
 * chunks in NAR order, then finish. The caller commits or aborts the writer; after a failure it
 * calls `abandon` first.
 *
 * Chunks travel in batches, about sixteen to one query and one message. Batches are hashed and
 * looked up in order; compression of several runs at once; frames are written strictly in order.
 */
export class PackBuilder {
  readonly #parts: PackBuilderParts;
  /** The NAR: i >= 0 is frame i of this pack, below that foreign chunk -1 - i. */
  readonly #sequence: number[] = [];
  readonly #positions = new Map<string, number>();
  readonly #foreign: ChunkPlace[] = [];
  readonly #frames: NewFrame[] = [];
  #plannedFrames = 0;
  #reusedBytes = 0;
  #packBytes = 0;
  #slot: Slot | undefined;
  #planned: Promise<void> = Promise.resolve();
  #written: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(parts: PackBuilderParts) {
    this.#parts = parts;
  }

  /** Copies the chunk; waits while no memory is free. */
  async add(chunk: Uint8Array): Promise<void> {
    if (this.#slot !== undefined && this.#slot.used + chunk.length > this.#slot.input.length) {
      this.#flush();
      // The failure itself is thrown by `#written`; this only stops the work early.
      if (this.#failed) await this.#written;
    }
    this.#slot ??= await this.#parts.frames.acquire();
    this.#slot.input.set(chunk, this.#slot.used);
    this.#slot.used += chunk.length;
    this.#slot.sizes.push(chunk.length);
  }

  /** Writes what is left and the index. `origin` is JSON that says what was pushed. */
  async finish(narHash: Buffer, narSize: number, origin: string): Promise<BuiltPack> {
    this.#flush();
    await this.#written;
    const frameBytes = this.#packBytes;
    const index = encodePackIndex({
      narHash,
      narSize,
      frames: this.#frames,
      foreign: this.#foreign,
      sequence: this.#sequence.map((at) => (at >= 0 ? at : this.#frames.length - 1 - at)),
      origin,
    });
    await this.#parts.writer.write([index]);
    this.#packBytes += index.length;
    const segments = this.#segments(frameBytes);
    return {
      size: this.#packBytes,
      // Sorted by their keys, which compare as the hashes do, and without making one for each comparison.
      chunks: this.#frames.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
      segments,
      fileSize: totalLength(segments),
      reusedBytes: this.#reusedBytes,
    };
  }

  /** Gives back all memory; waits for what is under way. Never throws. */
  async abandon(): Promise<void> {
    await this.#written.catch(() => {});
    if (this.#slot !== undefined) this.#parts.frames.release(this.#slot);
    this.#slot = undefined;
  }

  /** Sends the batch on its way. Its failure shows in `#written`. */
  #flush(): void {
    const slot = this.#slot;
    if (slot === undefined) return;
    this.#slot = undefined;
    const hashes = this.#parts.frames.hashes(slot);
    const chunks = this.#planned.then(async () => this.#plan(slot, await hashes));
    this.#planned = chunks.then(() => {});
    const encoded = chunks.then((fresh) =>
      this.#parts.frames.encode(
        slot,
        fresh.map((chunk) => chunk.position),
      ),
    );
    this.#written = this.#written
      .then(async () => this.#append(slot, await chunks, await encoded))
      .finally(() => this.#parts.frames.release(slot));
    for (const promise of [hashes, this.#planned, encoded]) promise.catch(() => {});
    this.#written.catch(() => {
      this.#failed = true;
    });
  }

  /** Finds out which chunks are new, and notes the NAR's order. */
  async #plan(slot: Slot, hashes: readonly Buffer[]): Promise<readonly NewChunk[]> {
    const keys = hashes.map((hash) => hash.toString('latin1'));
    const unknown = hashes.filter((_, i) => !this.#positions.has(keys[i] as string));
    const stored = new Map<string, ChunkLocation>();
    if (unknown.length > 0) {
      for (const location of await this.#parts.findChunks(unknown)) {
        stored.set(location.hash.toString('latin1'), location);
      }
    }
    const fresh: NewChunk[] = [];
    for (const [i, size] of slot.sizes.entries()) {
      const key = keys[i] as string;
      let at = this.#positions.get(key);
      const location = at === undefined ? stored.get(key) : undefined;
      if (at !== undefined || location !== undefined) this.#reusedBytes += size;
      if (location !== undefined) {
        at = -this.#foreign.push(new ChunkPlace(key, location));
      } else if (at === undefined) {
        at = this.#plannedFrames++;
        fresh.push({ key, size, position: i });
      }
      this.#positions.set(key, at);
      this.#sequence.push(at);
    }
    return fresh;
  }

  async #append(
    slot: Slot,
    chunks: readonly NewChunk[],
    encoded: readonly EncodedFrame[],
  ): Promise<void> {
    let bytes = 0;
    for (const [i, chunk] of chunks.entries()) {
      const frame = encoded[i] as EncodedFrame;
      this.#frames.push(new NewFrame(chunk, this.#packBytes + bytes, frame));
      bytes += frame.length;
    }
    if (bytes > 0) await this.#parts.writer.write([slot.output.subarray(0, bytes)]);
    this.#packBytes += bytes;
  }

  #segments(frameBytes: number): readonly Segment[] {
    const list = new SegmentList();
    for (const at of this.#sequence) {
      list.add((at >= 0 ? this.#frames[at] : this.#foreign[-1 - at]) as ChunkLocation);
    }
    const [only, ...more] = list.segments;
    const isWholePack = more.length === 0 && only?.pack === NEW_PACK && only.length === frameBytes;
    // With its index, which decompressors skip, the NAR is one object: it can be redirected to.
    return isWholePack ? [{ pack: NEW_PACK, offset: 0, length: this.#packBytes }] : list.segments;
  }
}
