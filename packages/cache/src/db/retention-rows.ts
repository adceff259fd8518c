import { changeObjects } from './change-objects.ts';
import type { DatabaseHandle } from './database.ts';
import { batches, LIST_LIMIT, padded } from './rows.ts';
import type { Now } from './time.ts';

/** What retention looks at of an object. */
export interface ObjectUse {
  readonly storePathHash: string;
  /** Base names. */
  readonly references: readonly string[];
  readonly narId: number;
  readonly narSize: number;
  /** Bytes of the compressed NAR. */
  readonly fileSize: number;
  /** Milliseconds since the epoch. */
  readonly lastUsedAt: number;
  readonly doomed: boolean;
}

/** An object that was pushed, and what it refers to. */
export interface PushedObject {
  readonly storePathHash: string;
  /** Base names. */
  readonly references: readonly string[];
  /** Milliseconds since the epoch. */
  readonly pushedAt: number;
}

/** What retention asks and tells. Every method is one short transaction. */
export interface RetentionMetadata {
  /** The time that the other times are compared with. */
  currentTime(): Promise<number>;
  /** Up to `limit` objects of a cache in the order of their hashes, after `after`. */
  scanObjects(cacheId: number, after: string, limit: number): Promise<readonly ObjectUse[]>;
  /** Up to `limit` objects of a cache that were pushed after this one, or anew, in their order. */
  pushedAfter(
    cacheId: number,
    after: Pick<PushedObject, 'pushedAt' | 'storePathHash'>,
    limit: number,
  ): Promise<readonly PushedObject[]>;
  /** Marks those of the objects that were not used after `usedBefore`. */
  doomObjects(cacheId: number, hashes: readonly string[], usedBefore: number): Promise<void>;
  /** Takes the mark away. */
  spareObjects(cacheId: number, hashes: readonly string[]): Promise<void>;
  /**
   * Removes objects that were not used after `usedBefore` and, when `doomedBefore` is given, were
   * marked before that. Those of `hashes` to which this does not apply any more (used or pushed
   * since, or gone) are handed to `without`, which answers which of the others may go; it may be
   * called more than once. Undefined, with nothing done, when a pin was set since `pinsVersion` or
   * the cache is gone.
   */
  removeExpired(removal: ExpiredRemoval): Promise<readonly string[] | undefined>;
  /** The store paths of these hashes, as far as they are there. */
  storePaths(cacheId: number, hashes: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** How many objects of all caches each NAR has. */
  countUses(narIds: readonly number[]): Promise<ReadonlyMap<number, number>>;
}

export interface ExpiredRemoval {
  readonly cacheId: number;
  readonly hashes: readonly string[];
  readonly usedBefore: number;
  readonly doomedBefore: number | undefined;
  readonly pinsVersion: number;
  readonly without: (kept: readonly string[]) => readonly string[];
}

export function retentionQueries(database: DatabaseHandle, now: Now): RetentionMetadata {
  const { db } = database;
  return {
    async currentTime() {
      const { time } = await db.selectNoFrom(now().as('time')).executeTakeFirstOrThrow();
      return time;
    },

    async scanObjects(cacheId, after, limit) {
      const rows = await db
        .selectFrom('object')
        .innerJoin('nar', 'nar.id', 'object.nar_id')
        .select(['object.store_path_hash', 'object.references', 'object.nar_id'])
        .select(['object.last_used_at', 'object.doomed_at', 'nar.size', 'nar.file_size'])
        .where('object.cache_id', '=', cacheId)
        .where('object.store_path_hash', '>', after)
        .orderBy('object.store_path_hash')
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        storePathHash: row.store_path_hash,
        references: JSON.parse(row.references) as string[],
        narId: row.nar_id,
        narSize: row.size,
        fileSize: row.file_size,
        lastUsedAt: row.last_used_at,
        doomed: row.doomed_at !== null,
      }));
    },

    async pushedAfter(cacheId, { pushedAt, storePathHash }, limit) {
      const rows = await db
        .selectFrom('object')
        .select(['store_path_hash', 'references', 'created_at'])
        .where('cache_id', '=', cacheId)
        .where((eb) =>
          eb(
            eb.refTuple('created_at', 'store_path_hash'),
            '>',
            eb.tuple(eb.val(pushedAt), eb.val(storePathHash)),
          ),
        )
        .orderBy('created_at')
        .orderBy('store_path_hash')
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        storePathHash: row.store_path_hash,
        references: JSON.parse(row.references) as string[],
        pushedAt: row.created_at,
      }));
    },

    doomObjects: (cacheId, hashes, usedBefore) =>
      changeObjects(database, cacheId, hashes, {
        where: (eb) => eb.and([eb('last_used_at', '<=', usedBefore), eb('doomed_at', 'is', null)]),
        set: { doomed_at: now() },
      }),

    spareObjects: (cacheId, hashes) =>
      changeObjects(database, cacheId, hashes, {
        where: (eb) => eb('doomed_at', 'is not', null),
        set: { doomed_at: null },
      }),

    removeExpired: ({ cacheId, hashes, usedBefore, doomedBefore, pinsVersion, without }) =>
      database.transaction(async (tx) => {
        // Who sets a pin changes this row first: before us, and we see it, or after our end, and
        // then it finds what we leave.
        const cache = await tx
          .selectFrom('cache')
          .select('pins_version')
          .where('id', '=', cacheId)
          .forNoKeyUpdate()
          .executeTakeFirst();
        if (cache?.pins_version !== pinsVersion) return undefined;
        const found = await tx
          .selectFrom('object')
          .select('store_path_hash')
          .where('cache_id', '=', cacheId)
          .where('store_path_hash', 'in', padded(hashes))
          .where('last_used_at', '<=', usedBefore)
          .$if(doomedBefore !== undefined, (query) =>
            query.where('doomed_at', '<=', doomedBefore ?? 0),
          )
          .orderBy('store_path_hash')
          .forUpdate()
          .skipLocked()
          .execute();
        const expired = new Set(found.map((row) => row.store_path_hash));
        const going = without(hashes.filter((hash) => !expired.has(hash)));
        const removed = going.filter((hash) => expired.has(hash));
        if (removed.length === 0) return [];
        await tx
          .deleteFrom('object')
          .where('cache_id', '=', cacheId)
          .where('store_path_hash', 'in', padded(removed))
          .execute();
        return removed;
      }),

    async storePaths(cacheId, hashes) {
      const rows = await db
        .selectFrom('object')
        .select(['store_path_hash', 'store_path'])
        .where('cache_id', '=', cacheId)
        .where('store_path_hash', 'in', padded(hashes))
        .execute();
      return new Map(rows.map((row) => [row.store_path_hash, row.store_path]));
    },

    async countUses(narIds) {
      const counts = new Map<number, number>();
      for (const batch of batches(narIds, LIST_LIMIT)) {
        const rows = await db
          .selectFrom('object')
          .select(['nar_id', (eb) => eb.fn.countAll<number>().as('count')])
          .where('nar_id', 'in', padded(batch))
          .groupBy('nar_id')
          .execute();
        for (const row of rows) counts.set(row.nar_id, row.count);
      }
      return counts;
    },
  };
}
