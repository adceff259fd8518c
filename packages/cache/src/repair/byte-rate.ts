import { performance } from 'node:perf_hooks';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

/** A bound on how many bytes a second something reads. */
export interface ByteRate {
  /** Waits until so many more may be read; throws when it is to end. */
  spend(bytes: number): Promise<void>;
}

/** What was not used up until now is not made up for later: disks would see a burst. */
export function createByteRate(bytesPerSecond: number, signal?: AbortSignal): ByteRate {
  let dueAt = performance.now();
  return {
    async spend(bytes) {
      signal?.throwIfAborted();
      const now = performance.now();
      const waitMs = dueAt - now;
      dueAt = Math.max(now, dueAt) + (bytes * 1000) / bytesPerSecond;
      if (waitMs >= 1) await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
      else await setImmediate();
    },
  };
}
