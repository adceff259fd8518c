import type { Transaction } from 'kysely';
import { FlywheelError } from '@flywheel/base';
import { mergeSignatures } from '@flywheel/nix';
import type { NarUse } from './metadata.ts';
import type { Schema } from './schema.ts';
import type { Now } from './time.ts';

/** Beside the cache's own. Each is below 400 bytes, and narinfos are kept in memory. */
export const MAX_SIGNATURES = 16;

/** Each turn means that a path was removed between two statements. */
const TURNS = 5;

/**
 * Creates or replaces: a path that is pushed again gets the metadata of the last push. The signatures
 * of the earlier ones stay beside its own as long as they sign the same: NAR and references.
 */
export async function putObject(
  tx: Transaction<Schema>,
  narId: number,
  { object, onlyIfAbsent = false }: Extract<NarUse, { readonly object: unknown }>,
  now: Now,
): Promise<void> {
  const key = { cache_id: object.cacheId, store_path_hash: object.storePathHash };
  const values = {
    store_path: object.storePath,
    nar_id: narId,
    references: JSON.stringify(object.references),
    deriver: object.deriver ?? null,
    system: object.system ?? null,
    sigs: JSON.stringify(object.sigs),
    ca: object.ca ?? null,
    created_at: now(),
    last_used_at: now(),
    created_by: object.createdBy ?? null,
    doomed_at: null,
  };
  for (let turn = 0; turn < TURNS; turn += 1) {
    // Waits for another who is inserting the same, whose row is there then.
    const inserted = await tx
      .insertInto('object')
      .values({ ...key, ...values })
      .onConflict((conflict) => conflict.columns(['cache_id', 'store_path_hash']).doNothing())
      .returning('nar_id')
      .executeTakeFirst();
    if (inserted !== undefined) return;
    const present = await tx
      .selectFrom('object')
      .select(['nar_id', 'store_path', 'references', 'sigs'])
      .where('cache_id', '=', key.cache_id)
      .where('store_path_hash', '=', key.store_path_hash)
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (present === undefined) continue;
    const isSame =
      present.nar_id === narId &&
      present.store_path === values.store_path &&
      present.references === values.references;
    const earlier = isSame ? (JSON.parse(present.sigs) as string[]) : [];
    const sigs = mergeSignatures(object.sigs, earlier, MAX_SIGNATURES);
    const stays = onlyIfAbsent && (await isIntact(tx, present.nar_id));
    await tx
      .updateTable('object')
      .set(
        stays
          ? { last_used_at: values.last_used_at, doomed_at: null }
          : { ...values, sigs: JSON.stringify(sigs) },
      )
      .where('cache_id', '=', key.cache_id)
      .where('store_path_hash', '=', key.store_path_hash)
      .execute();
    return;
  }
  throw new FlywheelError('conflict', `${object.storePath} is being removed again and again`, {
    details: { hint: 'push the path again' },
  });
}

async function isIntact(tx: Transaction<Schema>, narId: number): Promise<boolean> {
  const row = await tx
    .selectFrom('nar')
    .select('damaged')
    .where('id', '=', narId)
    .executeTakeFirst();
  return row?.damaged === 0;
}
