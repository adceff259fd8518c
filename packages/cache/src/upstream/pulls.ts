/** Lets one pull of a path serve all who want it. */
export class Pulls {
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  /** Aborted when the server ends. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get inFlight(): number {
    return this.#running.size;
  }

  /** The pull of this path that is under way: resolves at its end, whatever that is. */
  underWay(key: string): Promise<void> | undefined {
    return this.#running.get(key);
  }

  /** Not while one is under way. Ends when `work` does, and throws what that throws. */
  async run(key: string, work: () => Promise<void>): Promise<void> {
    const running = work();
    const ended = running.catch(() => {});
    this.#running.set(key, ended);
    try {
      await running;
    } finally {
      this.#running.delete(key);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running.values());
  }
}
