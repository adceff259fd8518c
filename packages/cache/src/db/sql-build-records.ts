import { sql } from 'kysely';
import { mergeSignatures } from '@flywheel/nix';
import type { BuildRecords } from './build-records.ts';
import type { DatabaseHandle } from './database.ts';
import { bufferOf } from './rows.ts';
import type { Now } from './time.ts';

/** A read is written down only when the last one is so long ago. */
const DAY_MS = 24 * 3600 * 1000;

export function sqlBuildRecords(database: DatabaseHandle, now: Now): BuildRecords {
  const { db } = database;
  return {
    async putLog(cacheId, drv, body) {
      const values = { body, created_at: now(), last_used_at: now() };
      await db
        .insertInto('build_log')
        .values({ cache_id: cacheId, drv, ...values })
        .onConflict((conflict) => conflict.columns(['cache_id', 'drv']).doUpdateSet(values))
        .execute();
    },

    async findLog(cacheId, drv) {
      const row = await db
        .selectFrom('build_log')
        .select('body')
        .where('cache_id', '=', cacheId)
        .where('drv', '=', drv)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      await db
        .updateTable('build_log')
        .set({ last_used_at: now() })
        .where('cache_id', '=', cacheId)
        .where('drv', '=', drv)
        .where('last_used_at', '<', sql<number>`${now()} - ${DAY_MS}`)
        .execute();
      return bufferOf(row.body);
    },

    async removeLogs(unusedSince, limit) {
      return database.transaction(async (tx) => {
        const rows = await tx
          .selectFrom('build_log')
          .select(['cache_id', 'drv'])
          .where('last_used_at', '<', unusedSince)
          .orderBy('last_used_at')
          .limit(limit)
          .forUpdate()
          .skipLocked()
          .execute();
        for (const { cache_id: cacheId, drv } of rows) {
          await tx
            .deleteFrom('build_log')
            .where('cache_id', '=', cacheId)
            .where('drv', '=', drv)
            .execute();
        }
        return rows.length;
      });
    },

    async putRealisation(cacheId, realisation, maxSignatures) {
      const { id, outPathHash, content, sigs } = realisation;
      await database.transaction(async (tx) => {
        const row = {
          out_path_hash: outPathHash,
          content,
          sigs: JSON.stringify(sigs),
          created_at: now(),
        };
        // Waits for another who is inserting the same, whose row is there then.
        const inserted = await tx
          .insertInto('realisation')
          .values({ cache_id: cacheId, id, ...row })
          .onConflict((conflict) => conflict.columns(['cache_id', 'id']).doNothing())
          .returning('id')
          .executeTakeFirst();
        if (inserted !== undefined) return;
        const present = await tx
          .selectFrom('realisation')
          .select(['content', 'sigs'])
          .where('cache_id', '=', cacheId)
          .where('id', '=', id)
          .forUpdate()
          .executeTakeFirst();
        const earlier = present?.content === content ? (JSON.parse(present.sigs) as string[]) : [];
        const merged = JSON.stringify(mergeSignatures(sigs, earlier, maxSignatures));
        // Inserted anew where the other has removed it meanwhile.
        await tx
          .insertInto('realisation')
          .values({ cache_id: cacheId, id, ...row, sigs: merged })
          .onConflict((conflict) =>
            conflict.columns(['cache_id', 'id']).doUpdateSet({ ...row, sigs: merged }),
          )
          .execute();
      });
    },

    async findRealisation(cacheId, id) {
      const row = await db
        .selectFrom('realisation')
        .selectAll()
        .where('cache_id', '=', cacheId)
        .where('id', '=', id)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      return {
        id,
        outPathHash: row.out_path_hash,
        content: row.content,
        sigs: JSON.parse(row.sigs) as string[],
      };
    },

    async removeRealisations(putBefore, limit) {
      return database.transaction(async (tx) => {
        const rows = await tx
          .selectFrom('realisation')
          .select(['cache_id', 'id'])
          .where('created_at', '<', putBefore)
          .where((eb) =>
            eb.not(
              eb.exists(
                eb
                  .selectFrom('object')
                  .select('object.cache_id')
                  .whereRef('object.cache_id', '=', 'realisation.cache_id')
                  .whereRef('object.store_path_hash', '=', 'realisation.out_path_hash'),
              ),
            ),
          )
          .limit(limit)
          .forUpdate()
          .skipLocked()
          .execute();
        for (const { cache_id: cacheId, id } of rows) {
          await tx
            .deleteFrom('realisation')
            .where('cache_id', '=', cacheId)
            .where('id', '=', id)
            .execute();
        }
        return rows.length;
      });
    },
  };
}
