import { sql, type Selectable, type Transaction } from 'kysely';
import {
  atticPrefix,
  parseAtticKey,
  type AtticLocation,
  type AtticPlace,
} from '../blobs/attic-place.ts';
import { putNars, putPaths, type AtticPath } from './attic-paths.ts';
import type { DatabaseHandle } from './database.ts';
import { holdPacks } from './hold-packs.ts';
import type { Nar, Pack } from './metadata.ts';
import { withMaintenanceLock } from './maintenance-lock.ts';
import type { FoundNar } from './rebuild-rows.ts';
import { batches, bufferOf, insertRuns, LIST_LIMIT, narOf, padded } from './rows.ts';
import type { AtticPlaceTable, Schema } from './schema.ts';
import type { Now } from './time.ts';
import { uniqueByHash } from './write-chunks.ts';

// Rows of what is taken over from Attic. Each object of Attic is a pack of one chunk, kept until the
// end of time by `keep_until`: so nothing removes it before the takeover is finished, not even a
// replica of a version that knows nothing of Attic.

export const KEPT = Number.MAX_SAFE_INTEGER;

export interface AtticPlaceRecords {
  /** Storage of Attic that was taken over. */
  atticPlaces(): Promise<readonly AtticPlace[]>;
}

/** An object of Attic, and the chunk that it holds; without one, nothing refers to it. */
export interface AtticObject {
  readonly key: string;
  readonly size: number;
  readonly createdAt: number;
  readonly chunk: { readonly hash: Buffer; readonly size: number } | undefined;
}

export interface KnownPack extends Pack {
  readonly isLost: boolean;
}

/** Each may be called again with the same: what is there already stays as it is. */
export interface AtticRows {
  /** The place with this location, which is new when it was not known. */
  addPlace(location: AtticLocation): Promise<AtticPlace>;
  /** Returns how many were not known. */
  addObjects(objects: readonly AtticObject[]): Promise<number>;
  findPacks(keys: readonly string[]): Promise<ReadonlyMap<string, KnownPack>>;
  /** Those of the NARs, by their hashes in hex, that are there and intact. */
  intactNars(hashes: readonly Buffer[]): Promise<ReadonlySet<string>>;
  /** Those of the paths that are there and intact. */
  presentPaths(cacheId: number, hashes: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * NARs, healed where they are damaged, and paths of these and of others that are there: all of it
   * or nothing. Throws `conflict` when a pack of theirs was found damaged meanwhile.
   */
  addPaths(nars: readonly FoundNar[], paths: readonly AtticPath[]): Promise<void>;
  /** Says when a path was made and used; it must be there. */
  datePath(path: AtticPath): Promise<void>;
  /** Up to `limit` NARs with a larger id that lie in Attic's objects and are not damaged. */
  nars(place: number, after: number, limit: number): Promise<readonly Nar[]>;
  /** So many of them at random. */
  someNars(place: number, count: number): Promise<readonly Nar[]>;
  /** From now on its objects are ours; `releaseObjects` lets them go where nothing needs them. */
  finish(place: number): Promise<void>;
  /** Up to `limit` objects with a larger id of the pack; returns the last one's, if any. */
  releaseObjects(place: number, after: number, limit: number): Promise<number | undefined>;
  /** Runs `work` unless another process is at it; then the answer is undefined. */
  exclusively<T>(work: () => Promise<T>): Promise<T | undefined>;
}

export function atticPlaceQueries({ db }: DatabaseHandle): AtticPlaceRecords {
  return {
    async atticPlaces() {
      return (await db.selectFrom('attic_place').selectAll().orderBy('id').execute()).map(placeOf);
    },
  };
}

export function atticRows(database: DatabaseHandle, now: Now): AtticRows {
  const { db } = database;

  function inPlace(place: number) {
    return db
      .selectFrom('nar')
      .selectAll()
      .where('damaged', '=', 0)
      .where((eb) =>
        eb.exists(
          eb
            .selectFrom('nar_pack')
            .innerJoin('pack', 'pack.id', 'nar_pack.pack_id')
            .select('pack.id')
            .whereRef('nar_pack.nar_id', '=', 'nar.id')
            .where('pack.key', 'like', `${atticPrefix(place)}%`),
        ),
      );
  }

  return {
    addPlace: (location) =>
      database.transaction(async (tx) => {
        const text = JSON.stringify(location);
        await tx
          .insertInto('attic_place')
          .values({ location: text, created_at: now() })
          .onConflict((conflict) => conflict.column('location').doNothing())
          .execute();
        const row = await tx
          .selectFrom('attic_place')
          .selectAll()
          .where('location', '=', text)
          .executeTakeFirstOrThrow();
        return placeOf(row);
      }),

    addObjects: (objects) => database.transaction((tx) => addObjects(tx, objects)),

    async findPacks(keys) {
      const packs = new Map<string, KnownPack>();
      for (const batch of batches(keys, LIST_LIMIT)) {
        const rows = await db
          .selectFrom('pack')
          .select(['id', 'key', 'size', 'lost'])
          .where('key', 'in', padded(batch))
          .execute();
        for (const { lost, ...pack } of rows) packs.set(pack.key, { ...pack, isLost: lost === 1 });
      }
      return packs;
    },

    async intactNars(hashes) {
      const rows = await db
        .selectFrom('nar')
        .select('hash')
        .where('hash', 'in', padded(hashes))
        .where('damaged', '=', 0)
        .execute();
      return new Set(rows.map((row) => bufferOf(row.hash).toString('hex')));
    },

    async presentPaths(cacheId, hashes) {
      const rows = await db
        .selectFrom('object')
        .innerJoin('nar', 'nar.id', 'object.nar_id')
        .select('object.store_path_hash')
        .where('object.cache_id', '=', cacheId)
        .where('object.store_path_hash', 'in', padded(hashes))
        .where('nar.damaged', '=', 0)
        .execute();
      return new Set(rows.map((row) => row.store_path_hash));
    },

    // Locks in the order of commitNar.
    addPaths: (nars, paths) =>
      database.transaction(async (tx) => {
        await holdPacks(
          tx,
          nars.flatMap((nar) => nar.segments),
        );
        await putNars(tx, nars, now);
        await putPaths(tx, paths);
      }),

    async datePath(path) {
      await db
        .updateTable('object')
        .set({ created_at: path.createdAt, last_used_at: path.lastUsedAt })
        .where('cache_id', '=', path.cacheId)
        .where('store_path_hash', '=', path.storePathHash)
        .execute();
    },

    async nars(place, after, limit) {
      const rows = await inPlace(place)
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(narOf);
    },

    async someNars(place, count) {
      const rows = await inPlace(place)
        .orderBy(sql`random()`)
        .limit(count)
        .execute();
      return rows.map(narOf);
    },

    async finish(place) {
      await db
        .updateTable('attic_place')
        .set({ finished_at: now() })
        .where('id', '=', place)
        .where('finished_at', 'is', null)
        .execute();
    },

    async releaseObjects(place, after, limit) {
      const rows = await db
        .selectFrom('pack')
        .select(['id', 'key'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute();
      const ids = rows.filter(({ key }) => parseAtticKey(key)?.place === place).map(({ id }) => id);
      if (ids.length > 0) {
        await db
          .updateTable('pack')
          .set({ keep_until: null })
          .where('id', 'in', padded(ids))
          .where('keep_until', '=', KEPT)
          .execute();
      }
      return rows.at(-1)?.id;
    },

    exclusively: (work) => withMaintenanceLock(database, 'import-attic', work),
  };
}

function placeOf(row: Selectable<AtticPlaceTable>): AtticPlace {
  const location = JSON.parse(row.location) as AtticLocation;
  return { id: row.id, location, finishedAt: row.finished_at ?? undefined };
}

async function addObjects(
  tx: Transaction<Schema>,
  objects: readonly AtticObject[],
): Promise<number> {
  const added = new Map<string, number>();
  for (const batch of insertRuns(objects)) {
    const rows = await tx
      .insertInto('pack')
      .values(
        batch.map(({ key, size, createdAt }) => ({
          key,
          size,
          condemned_at: null,
          keep_until: KEPT,
          created_at: createdAt,
        })),
      )
      .onConflict((conflict) => conflict.column('key').doNothing())
      .returning(['id', 'key'])
      .execute();
    for (const { id, key } of rows) added.set(key, id);
  }
  // Only of new packs: those of one that was found damaged must stay unknown.
  const chunks = objects.flatMap(({ key, size: length, chunk }) => {
    const pack = added.get(key);
    return pack === undefined || chunk === undefined ? [] : [{ ...chunk, pack, length }];
  });
  // Uploads that raced have left Attic with the same chunk several times: one of them is enough.
  for (const batch of insertRuns(uniqueByHash(chunks))) {
    await tx
      .insertInto('chunk')
      .values(batch.map(({ pack, ...chunk }) => ({ ...chunk, pack_id: pack, offset: 0 })))
      .onConflict((conflict) => conflict.column('hash').doNothing())
      .execute();
  }
  return added.size;
}
