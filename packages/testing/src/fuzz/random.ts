/** Random numbers that a seed repeats: Marsaglia's xorshift32, good enough to choose mutations by. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Zero would stay zero.
    this.#state = Math.imul(seed, 0x9e37_79b1) || 1;
  }

  /** An integer from 0 to `bound` - 1; 0 for a bound of 0. */
  below(bound: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return Math.floor(((this.#state >>> 0) / 2 ** 32) * bound);
  }

  /** One of the list, which has some. */
  oneOf<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}
