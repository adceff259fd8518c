import { isDeepStrictEqual } from 'node:util';
import { lruCache, type Clock } from '@flywheel/base';
import type { Metadata, StoredObject } from '../db/metadata.ts';
import type { LiveCache } from './cache-directory.ts';
import type { RenderedNarInfo } from './rendered-narinfo.ts';

/** An object, and its signed narinfo once somebody has asked for it. */
export interface KnownObject {
  readonly object: StoredObject;
  narInfo?: RenderedNarInfo;
}

/** Objects lately asked for, present or not, so that neither costs a query or a signature again. */
export interface ObjectMemo {
  /** Undefined when absent. */
  find(cache: LiveCache, storePathHash: string): Promise<KnownObject | undefined>;
  /** The same from memory alone; undefined says nothing. */
  recall(cache: LiveCache, storePathHash: string): KnownObject | 'absent' | undefined;
  /** To be called when a push of this object is committed, before it is answered. */
  delete(cacheId: number, storePathHash: string): void;
  /** After a change that touches many: a new key, a damaged pack, a removed cache. */
  clear(): void;
}

export interface ObjectMemoOptions {
  /**
   * Whether every commit goes through this process, and so through `delete`. Otherwise absence is
   * never remembered: nix keeps a 404 for an hour, so a path that another replica has just taken
   * must not be denied for even a second.
   */
  readonly soleWriter: boolean;
}

/** How long another replica's change of an object may go unnoticed. */
export const FRESH_BESIDE_OTHERS_MS = 3000;
/** Where there is no other: a closure asked for again by the next job still costs no query. */
const FRESH_ALONE_MS = 60_000;
/** Short: a push may heal objects that it does not name. */
const FRESH_ABSENT_MS = 5000;
/** A few KiB each. */
const REMEMBERED = 10_000;
/** Apart from the present ones, so that a scan of random hashes does not displace them. */
const REMEMBERED_ABSENT = 10_000;

interface Remembered {
  readonly known: KnownObject;
  until: number;
}

export function createObjectMemo(
  metadata: Metadata,
  clock: Clock,
  { soleWriter }: ObjectMemoOptions,
): ObjectMemo {
  const freshMs = soleWriter ? FRESH_ALONE_MS : FRESH_BESIDE_OTHERS_MS;
  const present = lruCache<string, Remembered>(REMEMBERED);
  const absentUntil = lruCache<string, number>(REMEMBERED_ABSENT);
  // A query that began before a commit must not write down after it what it saw before.
  const asking = new Map<string, Promise<KnownObject | undefined>>();

  function recall(key: string): KnownObject | 'absent' | undefined {
    const now = clock.now();
    const entry = present.get(key);
    if (entry !== undefined && now < entry.until) return entry.known;
    const until = absentUntil.get(key);
    return until !== undefined && now < until ? 'absent' : undefined;
  }

  function ask(cache: LiveCache, hash: string, key: string): Promise<KnownObject | undefined> {
    const underWay = asking.get(key);
    if (underWay !== undefined) return underWay;
    const asked = metadata.findObject(cache.id, hash).then((object) => {
      // Unchanged, it keeps its signature.
      const last = present.get(key)?.known;
      const known =
        last !== undefined && isDeepStrictEqual(last.object, object) ? last : object && { object };
      if (asking.get(key) === asked) remember(key, known);
      return known;
    });
    asking.set(key, asked);
    asked
      .catch(() => {})
      .finally(() => {
        if (asking.get(key) === asked) asking.delete(key);
      });
    return asked;
  }

  function remember(key: string, known: KnownObject | undefined): void {
    if (known !== undefined) {
      absentUntil.delete(key);
      present.set(key, { known, until: clock.now() + freshMs });
      return;
    }
    present.delete(key);
    if (soleWriter) absentUntil.set(key, clock.now() + FRESH_ABSENT_MS);
  }

  return {
    recall: (cache, hash) => recall(`${cache.id}/${hash}`),
    async find(cache, hash) {
      const key = `${cache.id}/${hash}`;
      const known = recall(key) ?? (await ask(cache, hash, key));
      return known === 'absent' ? undefined : known;
    },
    delete(cacheId, hash) {
      const key = `${cacheId}/${hash}`;
      present.delete(key);
      absentUntil.delete(key);
      asking.delete(key);
    },
    clear() {
      present.clear();
      absentUntil.clear();
      asking.clear();
    },
  };
}
