import { lruCache, type Clock } from '@flywheel/base';
import type { Metadata, StoredObject } from '../db/metadata.ts';
import type { LiveCache } from './cache-directory.ts';

/** An object, and its signed narinfo once somebody has asked for it. */
export interface KnownObject {
  readonly object: StoredObject;
  narInfo?: Buffer;
}

/** Objects lately asked for, so that a hit costs neither query nor signature. */
export interface ObjectMemo {
  /** Undefined when absent, which is not remembered. */
  find(cache: LiveCache, storePathHash: string): Promise<KnownObject | undefined>;
  delete(cacheId: number, storePathHash: string): void;
  /** After a change that touches many: a new key, a damaged pack, a removed cache. */
  clear(): void;
}

/** How long another replica's change of an object may go unnoticed. */
const FRESH_MS = 5000;
/** A few KiB each. */
const REMEMBERED = 10_000;

export function createObjectMemo(metadata: Metadata, clock: Clock): ObjectMemo {
  const remembered = lruCache<string, { known: KnownObject; until: number }>(REMEMBERED);
  return {
    async find(cache, hash) {
      const key = `${cache.id}/${hash}`;
      const entry = remembered.get(key);
      if (entry !== undefined && clock.now() < entry.until) return entry.known;
      const object = await metadata.findObject(cache.id, hash);
      if (object === undefined) return undefined;
      const known = { object };
      remembered.set(key, { known, until: clock.now() + FRESH_MS });
      return known;
    },
    delete: (cacheId, hash) => remembered.delete(`${cacheId}/${hash}`),
    clear: () => remembered.clear(),
  };
}
