import { Chunker, type ChunkSizes } from '@flywheel/chunking';

/**
 * Chunkers to be used again: each holds a megabyte of WebAssembly memory that only a full garbage
 * collection returns, and a push of many small paths would leave one behind for each.
 */
export class ChunkerPool {
  readonly #sizes: ChunkSizes;
  readonly #free: Chunker[] = [];

  constructor(sizes: ChunkSizes) {
    this.#sizes = sizes;
  }

  async use<T>(work: (chunker: Chunker) => Promise<T>): Promise<T> {
    const chunker = this.#free.pop() ?? new Chunker(this.#sizes);
    try {
      return await work(chunker);
    } finally {
      chunker.reset();
      this.#free.push(chunker);
    }
  }
}
