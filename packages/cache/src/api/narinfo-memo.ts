import { lruCache, type Clock } from '@flywheel/base';

/** Signed narinfos by cache and store path hash, so that a hit costs neither query nor signature. */
export interface NarInfoMemo {
  get(cacheId: number, storePathHash: string): Buffer | undefined;
  set(cacheId: number, storePathHash: string, body: Buffer): void;
  delete(cacheId: number, storePathHash: string): void;
  /** After a change that touches many: a new key, a damaged pack, a removed cache. */
  clear(): void;
}

/** How long another replica's change of an object may go unnoticed. */
const FRESH_MS = 5000;
/** About 1 KiB each. */
const REMEMBERED = 20_000;

export function createNarInfoMemo(clock: Clock): NarInfoMemo {
  const remembered = lruCache<string, { body: Buffer; until: number }>(REMEMBERED);
  return {
    get(cacheId, hash) {
      const entry = remembered.get(`${cacheId}/${hash}`);
      return entry !== undefined && clock.now() < entry.until ? entry.body : undefined;
    },
    set: (cacheId, hash, body) =>
      remembered.set(`${cacheId}/${hash}`, { body, until: clock.now() + FRESH_MS }),
    delete: (cacheId, hash) => remembered.delete(`${cacheId}/${hash}`),
    clear: () => remembered.clear(),
  };
}
