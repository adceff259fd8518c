import type { ExpressionBuilder } from 'kysely';
import { batchRows, type DatabaseHandle, type Rest } from './database.ts';
import type { Schema } from './schema.ts';

// A cache of a million paths is not removed in one statement, which would hold everybody up. It
// gets a name that no cache can have, is gone with that, and its objects follow in short
// transactions. An upload under way may still add one; the last statement takes that too.

const DELETED_PREFIX = '.deleted-';

export function isNotDeleted(eb: ExpressionBuilder<Schema, 'cache'>) {
  return eb('cache.name', 'not like', `${DELETED_PREFIX}%`);
}

/** See Metadata.deleteCache. */
export async function deleteCache(
  database: DatabaseHandle,
  id: number,
  rest: Rest,
): Promise<boolean> {
  const { numUpdatedRows } = await database.db
    .updateTable('cache')
    .set({ name: DELETED_PREFIX + id, is_public: 0 })
    .where('id', '=', id)
    .where(isNotDeleted)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) return false;
  await removeContents(database, id, rest);
  return true;
}

/** See Metadata.removeDeletedCaches. */
export async function removeDeletedCaches(database: DatabaseHandle, rest: Rest): Promise<void> {
  const rows = await database.db
    .selectFrom('cache')
    .select('id')
    .where('name', 'like', `${DELETED_PREFIX}%`)
    .execute();
  for (const { id } of rows) await removeContents(database, id, rest);
}

async function removeContents(database: DatabaseHandle, id: number, rest: Rest): Promise<void> {
  const { db } = database;
  const limit = batchRows(database);
  for (let after = ''; ;) {
    const rows = await db
      .selectFrom('object')
      .select('store_path_hash')
      .where('cache_id', '=', id)
      .where('store_path_hash', '>', after)
      .orderBy('store_path_hash')
      .limit(limit)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) break;
    await database.transaction(async (tx) => {
      // As its own deletion does: who removes the same objects at the same time takes turns.
      await tx.selectFrom('cache').select('id').where('id', '=', id).forNoKeyUpdate().execute();
      // The range takes no list of parameters.
      await tx
        .deleteFrom('object')
        .where('cache_id', '=', id)
        .where('store_path_hash', '>', after)
        .where('store_path_hash', '<=', last.store_path_hash)
        .execute();
    });
    after = last.store_path_hash;
    await rest();
  }
  await database.transaction((tx) => tx.deleteFrom('cache').where('id', '=', id).execute());
}
