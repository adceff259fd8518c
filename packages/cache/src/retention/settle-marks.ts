import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cache, Metadata } from '../db/metadata.ts';
import type { Pace } from '../store/pace.ts';
import type { ReferenceGraph } from './reference-graph.ts';

/** Batches of marked paths, of which each may go when the others have had time to say what they use. */
export interface Marks {
  /** To be called when the next batch is marked. */
  readonly add: () => void;
  /**
   * Waits until a batch (0 is the first) has settled. What pushes refer to that were made since the
   * look, and all that this refers to, is marked in `kept` then. Answers the time, by the database's
   * clock in ms, until which a mark was made early enough.
   */
  readonly settled: (batch: number, kept: Uint8Array) => Promise<number>;
  /** Waits until all that were marked have settled. */
  readonly allSettled: () => Promise<void>;
}

export interface SettleParts {
  readonly metadata: Metadata;
  readonly cache: Cache;
  readonly settleMs: number;
  readonly pace: Pace;
  readonly signal: AbortSignal;
}

/** What was looked at before anything was marked. */
interface Seen {
  readonly graph: ReferenceGraph;
  /** When, by the database's clock. */
  readonly time: number;
}

/** Timers may fire a little early. */
const TIMER_MS = 100;
/** A push bears the time at which its statement began, and is seen when it has ended. */
const PUSH_TAKES_MS = 60_000;
/** The batches of a second are waited for together: each time, pushes are looked at. */
const TOGETHER_MS = 1000;
/** Rows of one look. */
const SCAN_ROWS = 512;

export function settleMarks(
  { metadata, cache, settleMs, pace, signal }: SettleParts,
  { graph, time }: Seen,
): Marks {
  /** When each batch will have settled, by this process's clock. */
  const due: number[] = [];
  let lookedAt = -Infinity;
  let lookedUpTo = time;

  /** Answers when it was over. */
  async function waitUntil(at: number): Promise<number> {
    const waitMs = at - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal });
    return Math.max(at, performance.now());
  }

  async function keepReferences(kept: Uint8Array): Promise<void> {
    let last = { pushedAt: lookedUpTo - PUSH_TAKES_MS, storePathHash: '' };
    lookedUpTo = await metadata.currentTime();
    for (;;) {
      const pushed = await metadata.pushedAfter(cache.id, last, SCAN_ROWS);
      for (const reference of pushed.flatMap(({ references }) => references)) {
        const node = graph.findReference(reference);
        if (node !== undefined) graph.visitClosure(node, kept, () => {});
      }
      await pace.rest();
      if (pushed.length < SCAN_ROWS) return;
      last = pushed.at(-1) ?? last;
    }
  }

  return {
    add: () => due.push(performance.now() + settleMs + TIMER_MS),
    async settled(batch, kept) {
      const batchDue = due[batch] ?? Infinity;
      if (lookedAt < batchDue) {
        lookedAt = await waitUntil(Math.min(batchDue + TOGETHER_MS, due.at(-1) ?? batchDue));
        await keepReferences(kept);
      }
      return lookedUpTo - settleMs;
    },
    async allSettled() {
      await waitUntil(due.at(-1) ?? 0);
    },
  };
}
