/**
 * Lets uploads of the same NAR take turns, so that CI jobs that push the same path at once store it
 * once: the first one lays it down, the others find it. (Across processes the database decides, in
 * Metadata.commitNar.)
 */
export class NarLocks {
  readonly #tails = new Map<string, Promise<unknown>>();

  async run<T>(narHash: Buffer, work: () => Promise<T>): Promise<T> {
    const key = narHash.toString('latin1');
    const before = this.#tails.get(key);
    const mine = (before ?? Promise.resolve()).then(work, work);
    this.#tails.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === mine) this.#tails.delete(key);
    }
  }
}
