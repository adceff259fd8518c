import { lruCache, type Clock } from '@flywheel/base';
import { SecretKey } from '@flywheel/nix';
import type { Cache, Metadata } from '../db/metadata.ts';

/** A cache with its key parsed. */
export interface LiveCache extends Cache {
  readonly key: SecretKey;
}

/** Finds caches by name, from memory for a moment after the first time. */
export interface CacheDirectory {
  find(name: string): Promise<LiveCache | undefined>;
  /** The cache if it was found lately; undefined says nothing. */
  recall(name: string): LiveCache | undefined;
  /** To be called after every change of a cache by this process. */
  forget(name: string): void;
}

/** How long another replica's change of a cache may go unnoticed. */
const FRESH_MS = 2000;
const REMEMBERED = 1000;

export function createCacheDirectory(metadata: Metadata, clock: Clock): CacheDirectory {
  const remembered = lruCache<string, { cache: LiveCache; until: number }>(REMEMBERED);

  function recall(name: string): LiveCache | undefined {
    const known = remembered.get(name);
    return known !== undefined && clock.now() < known.until ? known.cache : undefined;
  }

  return {
    recall,
    async find(name) {
      const known = recall(name);
      if (known !== undefined) return known;
      const row = await metadata.findCache(name);
      if (row === undefined) {
        remembered.delete(name);
        return undefined;
      }
      const cache = { ...row, key: SecretKey.parse(row.secretKey) };
      remembered.set(name, { cache, until: clock.now() + FRESH_MS });
      return cache;
    },
    forget: (name) => remembered.delete(name),
  };
}
