import type { Expression, ExpressionBuilder, SqlBool, Updateable } from 'kysely';
import type { DatabaseHandle } from './database.ts';
import { batches, LIST_LIMIT, padded } from './rows.ts';
import type { ObjectTable, Schema } from './schema.ts';
import { trustIndexes } from './trust-indexes.ts';

/**
 * Changes those of the objects to which `where` applies, passing by those that somebody holds. Found
 * and locked first, changed then: as one statement, PostgreSQL may choose to compare every object
 * of the cache with every one that was found.
 */
export async function changeObjects(
  database: DatabaseHandle,
  cacheId: number,
  hashes: readonly string[],
  change: {
    readonly where: (eb: ExpressionBuilder<Schema, 'object'>) => Expression<SqlBool>;
    readonly set: Updateable<ObjectTable> | { readonly doomed_at: Expression<number> };
  },
): Promise<void> {
  for (const batch of batches(hashes, LIST_LIMIT)) {
    await database.transaction(async (tx) => {
      await trustIndexes(database, tx);
      const found = await tx
        .selectFrom('object')
        .select('store_path_hash')
        .where('cache_id', '=', cacheId)
        .where('store_path_hash', 'in', padded(batch))
        .where(change.where)
        .forNoKeyUpdate()
        .skipLocked()
        .execute();
      if (found.length === 0) return;
      await tx
        .updateTable('object')
        .set(change.set)
        .where('cache_id', '=', cacheId)
        .where('store_path_hash', 'in', padded(found.map((row) => row.store_path_hash)))
        .execute();
    });
  }
}
