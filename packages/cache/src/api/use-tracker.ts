import type { Clock, Logger } from '@flywheel/base';
import type { Metadata, ObjectInput } from '../db/metadata.ts';

/**
 * Notes which objects were asked for and writes it down in batches: retention needs the day, not
 * the millisecond, and a read must not wait for a write.
 */
export interface UseTracker {
  note(cacheId: number, storePathHash: string): void;
  /** What a path that has just been pushed refers to is in use. */
  noteReferences(object: Pick<ObjectInput, 'cacheId' | 'references'>): void;
  /** How many are not written yet. */
  pending(): number;
  /** Whether a use of this one is not written yet. */
  isPending(cacheId: number, storePathHash: string): boolean;
  /** Resolved when every use noted before is written. */
  flush(): Promise<void>;
  /** Stops the timer and writes what is left, if it can. */
  close(): Promise<void>;
}

/** How long a use may be in memory only. */
export const FLUSH_EVERY_MS = 1000;
const HASH_CHARACTERS = 32;

export function createUseTracker(metadata: Metadata, clock: Clock, logger: Logger): UseTracker {
  let used = new Map<number, Set<string>>();

  let flushing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    if (used.size === 0) return;
    const batch = used;
    used = new Map();
    const at = clock.now();
    for (const [cacheId, hashes] of batch) await metadata.touch(cacheId, [...hashes], at);
  }

  function flush(): Promise<void> {
    const flushed = flushing.then(write);
    flushing = flushed.catch(() => {});
    return flushed;
  }

  /** Lossy by design: a failed batch only makes some paths look older than they are. */
  async function tryFlush(): Promise<void> {
    await flush().catch((error: unknown) =>
      logger.warn('last-use times were not written', { error }),
    );
  }

  const timer = setInterval(() => void tryFlush(), FLUSH_EVERY_MS);
  timer.unref();

  function note(cacheId: number, storePathHash: string): void {
    let hashes = used.get(cacheId);
    if (hashes === undefined) used.set(cacheId, (hashes = new Set()));
    hashes.add(storePathHash);
  }

  return {
    note,
    noteReferences({ cacheId, references }) {
      for (const reference of references) note(cacheId, reference.slice(0, HASH_CHARACTERS));
    },
    pending: () => [...used.values()].reduce((sum, hashes) => sum + hashes.size, 0),
    isPending: (cacheId, hash) => used.get(cacheId)?.has(hash) === true,
    flush,
    async close() {
      clearInterval(timer);
      await tryFlush();
    },
  };
}
