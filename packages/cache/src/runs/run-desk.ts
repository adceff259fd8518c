import type { RunKind } from './run-kind.ts';
import { startRunLoop, type RunLoop, type RunLoopOptions } from './run-loop.ts';

/** All kinds of maintenance: what the API may be asked for, and the loops that do it. */
export class RunDesk {
  readonly #kinds: ReadonlyMap<string, RunKind>;
  readonly #loops = new Map<string, RunLoop>();

  constructor(kinds: readonly RunKind[]) {
    this.#kinds = new Map(kinds.map((kind) => [kind.name, kind]));
  }

  get kinds(): readonly RunKind[] {
    return [...this.#kinds.values()];
  }

  find(kind: string): RunKind | undefined {
    return this.#kinds.get(kind);
  }

  /** A run was asked for: where this process does such runs, it need not wait for the next look. */
  nudge(kind: string): void {
    this.#loops.get(kind)?.nudge();
  }

  /** Begins to do runs of all kinds. A process that never does leaves them to others. */
  start(options: RunLoopOptions): void {
    for (const kind of this.#kinds.values()) {
      this.#loops.set(kind.name, startRunLoop(kind, options));
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#loops.values()].map((loop) => loop.stop()));
    this.#loops.clear();
  }
}
