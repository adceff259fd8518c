import { performance } from 'node:perf_hooks';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

/** How maintenance makes room for those who wait: between its short pieces of work. */
export interface Pace {
  /** Rests as long as the share of the time since the last rest; throws when it is to end. */
  readonly rest: () => Promise<void>;
}

export interface PaceOptions {
  readonly signal?: AbortSignal;
  /** What else a rest is good for. */
  readonly catchUp?: () => Promise<void>;
}

/** A rest at most; what took longer was waiting for others, not work. */
const LONGEST_REST_MS = 50;

/**
 * With a share of 1 it works half of the time. SQLite works in this thread, so only a rest lets
 * requests in; for PostgreSQL it leaves the disk and the locks to others.
 */
export function createPace(share: number, { signal, catchUp }: PaceOptions = {}): Pace {
  let restedAt = performance.now();
  let owedMs = 0;
  return {
    async rest() {
      signal?.throwIfAborted();
      owedMs += Math.min(LONGEST_REST_MS, share * (performance.now() - restedAt));
      // Timers count whole milliseconds: less than that is owed until the next time.
      if (owedMs >= 1) {
        const startedAt = performance.now();
        await sleep(owedMs);
        owedMs = Math.max(-LONGEST_REST_MS, owedMs - (performance.now() - startedAt));
      } else {
        await setImmediate();
      }
      await catchUp?.();
      restedAt = performance.now();
    },
  };
}
