import { Session, type Profiler } from 'node:inspector';

/** What is known of a function: the offsets at which its count has ever changed, with their ids. */
type Blocks = Map<number, number>;

const BUCKETS = 16;

/**
 * Which blocks of this thread's code ran, and roughly how often, from V8's own counters. A look costs
 * 1 ms with little code loaded and 10 ms with the whole cache, so it is for many inputs at once.
 */
export class BlockCoverage {
  readonly #session = new Session();
  readonly #functions = new Map<string, Blocks>();
  readonly #seen: Set<number>[] = [];
  readonly #reached = new Set<number>();
  #prefixes: readonly string[] = [];
  #nextId = 0;

  /** Counts in all code that is loaded from now on. */
  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** From now on scripts count whose URL begins with one of these; what ran before does not. */
  begin(prefixes: readonly string[]): void {
    this.#prefixes = prefixes;
    this.#take();
  }

  /** Lets the code run as fast as it can again. */
  stop(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  /** Blocks that ran at all, in all looks. */
  get blocks(): number {
    return this.#reached.size;
  }

  /**
   * Whether the runs since the last look did anything that no look of this level has seen: reached a
   * block, or ran one by another power of two as often. Counts add up, so looks compare only with
   * those at as many inputs; that is their level.
   */
  look(level: number): boolean {
    const seen = (this.#seen[level] ??= new Set());
    const before = seen.size;
    for (const { url, functions } of this.#take()) {
      if (!this.#prefixes.some((prefix) => url.startsWith(prefix))) continue;
      for (const { ranges } of functions) this.#note(url, ranges, seen);
    }
    return seen.size > before;
  }

  /**
   * V8 leaves out a block that ran as often as what is around it, so the ranges of a function differ
   * from look to look. The count at an offset does not depend on that.
   */
  #note(url: string, ranges: readonly Profiler.CoverageRange[], seen: Set<number>): void {
    const key = `${url}:${ranges[0]?.startOffset}`;
    let blocks = this.#functions.get(key);
    if (blocks === undefined) this.#functions.set(key, (blocks = new Map()));
    const end = ranges[0]?.endOffset;
    for (const { startOffset, endOffset } of ranges) {
      if (!blocks.has(startOffset)) blocks.set(startOffset, this.#nextId++);
      if (endOffset !== end && !blocks.has(endOffset)) blocks.set(endOffset, this.#nextId++);
    }
    for (const [offset, id] of blocks) {
      // Ranges are nested and the outer comes first: the last that has the offset is the innermost.
      const count =
        ranges.findLast(({ startOffset, endOffset }) => startOffset <= offset && offset < endOffset)
          ?.count ?? 0;
      if (count === 0) continue;
      this.#reached.add(id);
      seen.add(id * BUCKETS + Math.min(Math.floor(Math.log2(count)), BUCKETS - 1));
    }
  }

  /** In the same thread the inspector answers before `post` returns. Counters begin anew. */
  #take(): readonly Profiler.ScriptCoverage[] {
    let result: readonly Profiler.ScriptCoverage[] = [];
    let failure: Error | null = null;
    this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
      failure = error;
      if (error === null) ({ result } = taken);
    });
    if (failure !== null) throw failure as Error;
    return result;
  }
}
