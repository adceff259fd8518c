import { setImmediate } from 'node:timers/promises';
import { sql, type Updateable } from 'kysely';
import { FlywheelError, type Clock } from '@flywheel/base';
import type {
  Cache,
  CacheSettings,
  ChunkLocation,
  Metadata,
  Nar,
  NarCommit,
  NarUse,
  Pack,
  StoredObject,
  StoreStatistics,
  Upload,
} from './metadata.ts';
import { atticPlaceQueries } from './attic-rows.ts';
import { changeObjects } from './change-objects.ts';
import { commitNar } from './commit-nar.ts';
import { sqlIdentityRecords } from './sql-identity-records.ts';
import { batchRows, type DatabaseHandle } from './database.ts';
import { deleteCache, isNotDeleted, removeDeletedCaches } from './delete-cache.ts';
import { gatherQueries } from './gather-rows.ts';
import { pinQueries } from './pins.ts';
import { repackQueries } from './repack-rows.ts';
import { retentionQueries } from './retention-rows.ts';
import { runQueries } from './runs.ts';
import { sqlBuildRecords } from './sql-build-records.ts';
import { sqlPathRecords } from './sql-path-records.ts';
import { useNar } from './use-nar.ts';
import {
  abandonLease,
  beginUpload,
  deadLeases,
  forgetLeases,
  oldestLease,
  renewLease,
} from './leases.ts';
import { condemnedPacks, condemnPacks, unusedNarRemover } from './reclaim-rows.ts';
import { refreshStatistics } from './refresh-statistics.ts';
import { removePacks } from './remove-packs.ts';
import { markPackDamaged } from './mark-damaged.ts';
import { withMaintenanceLock } from './maintenance-lock.ts';
import { repairQueries } from './repair-rows.ts';
import { snapshotQueries } from './snapshot-rows.ts';
import { batches, bufferOf, cacheOf, LIST_LIMIT, narOf, padded } from './rows.ts';
import type { CacheTable } from './schema.ts';
import { timeOf, type Now } from './time.ts';

/**
 * The Metadata contract over one typed SQL schema, which `migrate` has made. Times are those of the
 * database, where several processes may use it.
 */
export function createSqlMetadata(
  database: DatabaseHandle,
  clock: Clock,
  now: Now = timeOf(database, clock),
): Metadata {
  const { db } = database;
  return {
    ...sqlIdentityRecords(database, now),
    ...sqlPathRecords(database),
    ...sqlBuildRecords(database, now),

    async findCache(name) {
      const row = await db
        .selectFrom('cache')
        .selectAll()
        .where('name', '=', name)
        .executeTakeFirst();
      return row && cacheOf(row);
    },

    async listCaches() {
      const rows = await db
        .selectFrom('cache')
        .selectAll()
        .where(isNotDeleted)
        .orderBy('name')
        .execute();
      return rows.map(cacheOf);
    },

    async createCache(name, settings): Promise<Cache> {
      const row = await db
        .insertInto('cache')
        .values({ name, created_at: now(), ...settingsRow(settings) })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) {
        throw new FlywheelError('already-exists', `a cache named ${name} exists already`);
      }
      return cacheOf(row);
    },

    async updateCache(id, changes) {
      await db.updateTable('cache').set(changesRow(changes)).where('id', '=', id).execute();
    },

    deleteCache: (id, rest = setImmediate) => deleteCache(database, id, rest),
    removeDeletedCaches: (rest = setImmediate) => removeDeletedCaches(database, rest),
    async setUpstreams(cacheId, upstreams) {
      await db
        .updateTable('cache')
        .set({ upstreams: JSON.stringify(upstreams) })
        .where('id', '=', cacheId)
        .execute();
    },

    async findObject(cacheId, storePathHash): Promise<StoredObject | undefined> {
      const row = await db
        .selectFrom('object')
        .innerJoin('nar', 'nar.id', 'object.nar_id')
        .select(['object.store_path', 'object.references', 'object.deriver', 'object.system'])
        .select(['object.sigs', 'object.ca', 'object.created_by'])
        .select(['nar.id', 'nar.hash', 'nar.size', 'nar.file_size', 'nar.segments'])
        .where('object.cache_id', '=', cacheId)
        .where('object.store_path_hash', '=', storePathHash)
        .where('nar.damaged', '=', 0)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      return {
        cacheId,
        storePathHash,
        storePath: row.store_path,
        references: JSON.parse(row.references) as string[],
        deriver: row.deriver ?? undefined,
        system: row.system ?? undefined,
        sigs: JSON.parse(row.sigs) as string[],
        ca: row.ca ?? undefined,
        createdBy: row.created_by ?? undefined,
        nar: narOf(row),
      };
    },

    async missingPaths(cacheId, hashes) {
      const missing = new Set(hashes);
      for (const batch of batches([...missing], LIST_LIMIT)) {
        const rows = await db
          .selectFrom('object')
          .innerJoin('nar', 'nar.id', 'object.nar_id')
          .select('object.store_path_hash')
          .where('object.cache_id', '=', cacheId)
          .where('object.store_path_hash', 'in', padded(batch))
          .where('nar.damaged', '=', 0)
          .where('object.doomed_at', 'is', null)
          .execute();
        for (const row of rows) missing.delete(row.store_path_hash);
      }
      return [...missing];
    },

    // Who holds an object is writing it, and with a time like ours.
    touch: (cacheId, hashes, at) =>
      changeObjects(database, cacheId, hashes, {
        where: (eb) => eb.or([eb('last_used_at', '<', at), eb('doomed_at', 'is not', null)]),
        set: { last_used_at: at, doomed_at: null },
      }),

    async findListing(narId) {
      const row = await db
        .selectFrom('listing')
        .select('body')
        .where('nar_id', '=', narId)
        .executeTakeFirst();
      return row && bufferOf(row.body);
    },

    beginUpload: (narHash): Promise<Upload> => beginUpload(database, now, narHash),
    renewLease: (lease) => renewLease(db, now, lease),

    abandonLease: (lease) => abandonLease(db, lease),

    async findChunks(hashes): Promise<readonly ChunkLocation[]> {
      const rows = await db
        .selectFrom('chunk')
        .innerJoin('pack', 'pack.id', 'chunk.pack_id')
        .select(['chunk.hash', 'chunk.pack_id', 'chunk.offset', 'chunk.length', 'chunk.size'])
        .where('chunk.hash', 'in', padded(hashes))
        .where('pack.condemned_at', 'is', null)
        .execute();
      return rows.map((row) => ({
        hash: bufferOf(row.hash),
        pack: row.pack_id,
        offset: row.offset,
        length: row.length,
        size: row.size,
      }));
    },

    commitNar: (commit: NarCommit, use: NarUse) =>
      database.transaction((tx) => commitNar(tx, commit, use, now)),

    useNar: (narId: number, use: NarUse, lease?: string) =>
      database.transaction((tx) => useNar(tx, narId, use, { lease, now })),

    async findStagedNar(cacheId, fileName): Promise<Nar | undefined> {
      const row = await db
        .selectFrom('staged_nar')
        .innerJoin('nar', 'nar.id', 'staged_nar.nar_id')
        .selectAll('nar')
        .where('staged_nar.cache_id', '=', cacheId)
        .where('staged_nar.file_name', '=', fileName)
        .where('nar.damaged', '=', 0)
        .executeTakeFirst();
      return row && narOf(row);
    },

    async findPacks(ids): Promise<readonly Pack[]> {
      const packs: Pack[] = [];
      for (const batch of batches(ids, LIST_LIMIT)) {
        packs.push(
          ...(await db
            .selectFrom('pack')
            .select(['id', 'key', 'size'])
            .where('id', 'in', padded(batch))
            .execute()),
        );
      }
      return packs;
    },

    markPackDamaged: (packId) => database.transaction((tx) => markPackDamaged(tx, packId)),

    async abandonAllLeases() {
      await db.updateTable('lease').set({ expires_at: 0, dead: 1 }).execute();
    },

    deadLeases: (limit) => deadLeases(db, now, limit),
    forgetLeases: (leases) => forgetLeases(database, now, leases),

    async knownPackKeys(keys) {
      const known = new Set<string>();
      for (const batch of batches(keys, LIST_LIMIT)) {
        const rows = await db
          .selectFrom('pack')
          .select('key')
          .where('key', 'in', padded(batch))
          .execute();
        for (const row of rows) known.add(row.key);
      }
      return known;
    },

    oldestLease: () => oldestLease(db, now),
    removeUnusedNars: unusedNarRemover(database, now),
    condemnPacks: (rest = setImmediate) => condemnPacks(database, now, rest),
    ...pinQueries(database, now),
    ...repackQueries(database, now),
    ...repairQueries(database, now),
    ...snapshotQueries(database),
    ...atticPlaceQueries(database),
    ...gatherQueries(database, now),
    ...retentionQueries(database, now),
    ...runQueries(database, now),
    batchRows: batchRows(database),
    catchUp: database.catchUp,
    condemnedPacks: (limit, query = {}) => condemnedPacks(database, now, limit, query),
    removePacks: (ids, rest = setImmediate) => removePacks(database, ids, rest),

    refreshStatistics: () => refreshStatistics(database),
    withMaintenanceLock: (kind, work) => withMaintenanceLock(database, kind, work),

    async statistics(): Promise<StoreStatistics> {
      const { rows } = await sql<StoreStatistics>`select
        (select count(*) from cache where name not like '.%') as caches,
        (select count(*) from object) as objects,
        (select count(*) from nar) as nars,
        (select coalesce(sum(nar.size), 0) from object join nar on nar.id = object.nar_id) as "logicalBytes",
        (select count(*) from chunk) as chunks,
        (select count(*) from pack) as packs,
        (select coalesce(sum(size), 0) from pack) as "storedBytes"`.execute(db);
      const [row] = rows;
      if (row === undefined) throw new FlywheelError('internal', 'the database gave no statistics');
      return { ...row };
    },

    close: () => db.destroy(),
  };
}

function settingsRow(settings: CacheSettings) {
  return {
    secret_key: settings.secretKey,
    is_public: settings.isPublic ? 1 : 0,
    store_dir: settings.storeDir,
    priority: settings.priority,
    upstream_cache_key_names: JSON.stringify(settings.upstreamCacheKeyNames),
    retention_period: settings.retentionSeconds ?? null,
    quota_bytes: settings.quotaBytes ?? null,
  };
}

function changesRow(changes: Partial<CacheSettings>): Updateable<CacheTable> {
  const row: Updateable<CacheTable> = {};
  if (changes.secretKey !== undefined) row.secret_key = changes.secretKey;
  if (changes.isPublic !== undefined) row.is_public = changes.isPublic ? 1 : 0;
  if (changes.storeDir !== undefined) row.store_dir = changes.storeDir;
  if (changes.priority !== undefined) row.priority = changes.priority;
  if (changes.upstreamCacheKeyNames !== undefined) {
    row.upstream_cache_key_names = JSON.stringify(changes.upstreamCacheKeyNames);
  }
  if ('retentionSeconds' in changes) row.retention_period = changes.retentionSeconds ?? null;
  if ('quotaBytes' in changes) row.quota_bytes = changes.quotaBytes ?? null;
  return row;
}
