import type { Transaction } from 'kysely';
import { lockRows } from './lock-rows.ts';
import { removeChunks } from './reclaim-rows.ts';
import type { Schema } from './schema.ts';

/** See Metadata.markPackDamaged. Locks in the order of commitNar. */
export async function markPackDamaged(tx: Transaction<Schema>, packId: number): Promise<number> {
  // Waits for commits that lie in it: their NARs are then among those that follow.
  await tx.updateTable('pack').set({ lost: 1 }).where('id', '=', packId).execute();
  const nars = tx.selectFrom('nar_pack').select('nar_id').where('pack_id', '=', packId);
  // A statement of its own: one that both locks and changes goes back to the version of the row that
  // it began with, behind whoever waits there for its own lock.
  await lockRows(
    tx,
    tx.selectFrom('nar').select('id').where('id', 'in', nars).orderBy('id').forNoKeyUpdate(),
  );
  const { numUpdatedRows } = await tx
    .updateTable('nar')
    .set({ damaged: 1 })
    .where('id', 'in', nars)
    .executeTakeFirstOrThrow();
  await removeChunks(tx, [packId]);
  return Number(numUpdatedRows);
}
