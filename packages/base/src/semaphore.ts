/** Bounds how much of something is in use at once. Waiters are served in order. */
export class Semaphore {
  readonly #capacity: number;
  #available: number;
  readonly #waiters: { readonly amount: number; readonly resume: () => void }[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#available = capacity;
  }

  get inUse(): number {
    return this.#capacity - this.#available;
  }

  /**
   * Waits for `amount` and takes it. An amount over the whole capacity waits for all of it, so
   * that one oversized item still gets through. The answer gives it back; calling it twice is safe.
   */
  async acquire(amount = 1): Promise<() => void> {
    const wanted = Math.min(amount, this.#capacity);
    if (this.#waiters.length > 0 || this.#available < wanted) {
      await new Promise<void>((resume) => this.#waiters.push({ amount: wanted, resume }));
    } else {
      this.#available -= wanted;
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#available += wanted;
      this.#wake();
    };
  }

  #wake(): void {
    for (let next = this.#waiters[0]; next !== undefined; next = this.#waiters[0]) {
      if (next.amount > this.#available) return;
      this.#available -= next.amount;
      this.#waiters.shift();
      next.resume();
    }
  }
}
