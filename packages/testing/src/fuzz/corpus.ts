import type { Random } from './random.ts';

interface Entry {
  readonly bytes: Uint8Array;
  picks: number;
}

/** The inputs worth changing further: the seeds, and each that reached something new. */
export class Corpus {
  readonly #entries: Entry[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#entries.length;
  }

  add(bytes: Uint8Array): void {
    this.#entries.push({ bytes, picks: 0 });
  }

  /** Of two at random the one that had fewer turns, so that what is new soon has its own. */
  pick(): Uint8Array {
    const [a, b] = [this.#random.oneOf(this.#entries), this.#random.oneOf(this.#entries)];
    const entry = a.picks <= b.picks ? a : b;
    entry.picks += 1;
    return entry.bytes;
  }

  /** Any, to take a piece of. */
  other(): Uint8Array {
    return this.#random.oneOf(this.#entries).bytes;
  }
}
