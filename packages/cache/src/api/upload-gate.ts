import { wireError } from './error-response.ts';

export interface UploadGateOptions {
  /** Uploads that are read at the same time. */
  readonly limit: number;
  /** How long one more may wait for its turn. */
  readonly waitMs: number;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Bounds how many uploads are read at once, so that a crowd of pushers makes each other wait and
 * not the server grow. Who waits too long is told to come again (`Busy`), with its body unread.
 */
export class UploadGate {
  readonly #limit: number;
  readonly #waitMs: number;
  readonly #waiters = new Set<Waiter>();
  #inFlight = 0;
  #refused = 0;
  #closed = false;

  constructor({ limit, waitMs }: UploadGateOptions) {
    this.#limit = limit;
    this.#waitMs = waitMs;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** How many were told to come again. */
  get refused(): number {
    return this.#refused;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** From now on nobody waits; what is under way goes on. */
  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters) this.#refuse(waiter);
  }

  async #enter(): Promise<void> {
    if (this.#inFlight < this.#limit) {
      this.#inFlight += 1;
      return;
    }
    if (this.#closed) throw this.#refusal();
    const turn = Promise.withResolvers<void>();
    this.#waiters.add(turn);
    const timer = setTimeout(() => this.#refuse(turn), this.#waitMs);
    try {
      await turn.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #leave(): void {
    const [next] = this.#waiters;
    if (next === undefined) {
      this.#inFlight -= 1;
      return;
    }
    // The place is handed over: nobody who comes now can take it before.
    this.#waiters.delete(next);
    next.resolve();
  }

  #refuse(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    waiter.reject(this.#refusal());
  }

  #refusal(): Error {
    this.#refused += 1;
    return wireError('Busy');
  }
}
