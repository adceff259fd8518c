import { sql, type RawBuilder } from 'kysely';
import type { DatabaseHandle } from './database.ts';
import type { ListedPath, PathOrder, PathQuery, PathRecords } from './path-records.ts';

/** Of the paths that keep one from being removed. */
const NAMED_REFERRERS = 5;

export function sqlPathRecords(database: DatabaseHandle): PathRecords {
  const { db } = database;
  return {
    async listPaths(query) {
      const { cacheId, storeDir, search, order, after, limit } = query;
      const key = orderKey(order, storeDir);
      const direction = order === 'name' ? 'asc' : 'desc';
      let select = db
        .selectFrom('object')
        .innerJoin('nar', 'nar.id', 'object.nar_id')
        .select(['object.store_path_hash', 'object.store_path', 'object.references'])
        .select(['object.created_at', 'object.last_used_at', 'object.created_by'])
        .select(['nar.size', 'nar.file_size', 'nar.damaged'])
        .where('object.cache_id', '=', cacheId);
      if (search !== undefined) select = select.where(matches(search, storeDir));
      if (after !== undefined) {
        const comparison = direction === 'asc' ? sql`>` : sql`<`;
        select = select.where(
          sql<boolean>`(${key}, object.store_path_hash) ${comparison} (${after.value}, ${after.hash})`,
        );
      }
      const rows = await select
        .orderBy(key, direction)
        .orderBy('object.store_path_hash', direction)
        .limit(limit)
        .execute();
      return rows.map((row): ListedPath => ({
        storePathHash: row.store_path_hash,
        storePath: row.store_path,
        narSize: row.size,
        fileSize: row.file_size,
        createdAt: row.created_at,
        lastUsedAt: row.last_used_at,
        createdBy: row.created_by ?? undefined,
        references: (JSON.parse(row.references) as unknown[]).length,
        isDamaged: row.damaged !== 0,
      }));
    },

    removePath: (cacheId, storePathHash, { force }) =>
      database.transaction(async (tx) => {
        const object = await tx
          .selectFrom('object')
          .select('store_path')
          .where('cache_id', '=', cacheId)
          .where('store_path_hash', '=', storePathHash)
          .forUpdate()
          .executeTakeFirst();
        if (object === undefined) return undefined;
        if (!force) {
          const referrers = await tx
            .selectFrom('object')
            .select('store_path')
            .where('cache_id', '=', cacheId)
            .where('store_path_hash', '!=', storePathHash)
            // JSON of base names. A hash has no characters that are special here.
            .where('references', 'like', `%"${storePathHash}-%`)
            .limit(NAMED_REFERRERS)
            .execute();
          if (referrers.length > 0) return { neededBy: referrers.map((row) => row.store_path) };
          const pins = await tx
            .selectFrom('pin_revision')
            .innerJoin('pin', 'pin.id', 'pin_revision.pin_id')
            .select('pin.name')
            .where('pin.cache_id', '=', cacheId)
            .where('pin_revision.store_path_hash', '=', storePathHash)
            .limit(NAMED_REFERRERS)
            .execute();
          if (pins.length > 0) return { pinnedBy: pins.map((row) => row.name) };
        }
        await tx
          .deleteFrom('object')
          .where('cache_id', '=', cacheId)
          .where('store_path_hash', '=', storePathHash)
          .execute();
        return { removed: object.store_path };
      }),

    async cacheFigures() {
      const rows = await db
        .selectFrom('object')
        .innerJoin('nar', 'nar.id', 'object.nar_id')
        .select('object.cache_id')
        .select([
          sql<number>`count(*)`.as('paths'),
          sql<number>`sum(nar.size)`.as('nar_bytes'),
          sql<number>`sum(nar.file_size)`.as('file_bytes'),
        ])
        .groupBy('object.cache_id')
        .execute();
      return new Map(
        rows.map((row) => [
          row.cache_id,
          { paths: row.paths, narBytes: row.nar_bytes, fileBytes: row.file_bytes },
        ]),
      );
    },
  };
}

function orderKey(order: PathOrder, storeDir: string): RawBuilder<string | number> {
  switch (order) {
    case 'created':
      return sql`object.created_at`;
    case 'used':
      return sql`object.last_used_at`;
    case 'size':
      return sql`nar.size`;
    default:
      return nameIn(storeDir);
  }
}

/** The name alone: what follows `/`, the hash and `-`. */
function nameIn(storeDir: string): RawBuilder<string> {
  return sql`substr(object.store_path, ${sql.lit(storeDir.length + 1 + 33 + 1)})`;
}

function matches(search: string, storeDir: string): RawBuilder<boolean> {
  const text = search.toLowerCase().replaceAll(/[\\%_]/g, (character) => `\\${character}`);
  const name = sql`lower(${nameIn(storeDir)}) like ${`%${text}%`} escape '\\'`;
  const hash = sql`object.store_path_hash like ${`${text}%`} escape '\\'`;
  return sql<boolean>`(${name} or ${hash})`;
}

/** The value that a path has in this order, for the next page. */
export function orderValue(path: ListedPath, { order, storeDir }: PathPlace): string | number {
  switch (order) {
    case 'created':
      return path.createdAt;
    case 'used':
      return path.lastUsedAt;
    case 'size':
      return path.narSize;
    default:
      return path.storePath.slice(storeDir.length + 1 + 33);
  }
}

type PathPlace = Pick<PathQuery, 'order' | 'storeDir'>;
