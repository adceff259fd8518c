import { sql, type RawBuilder, type Transaction } from 'kysely';
import { FlywheelError } from '@flywheel/base';
import type { NarUse, ObjectInput } from './metadata.ts';
import type { Schema } from './schema.ts';
import type { Now } from './time.ts';

/** How long a NAR put by `nix copy` waits for its narinfo. */
const STAGED_MS = 24 * 3600 * 1000;

/** Records what the NAR is for and ends the lease that kept it until now. */
export async function useNar(
  tx: Transaction<Schema>,
  narId: number,
  use: NarUse,
  { lease, now }: { readonly lease: string | undefined; readonly now: Now },
): Promise<void> {
  const nar = await tx
    .selectFrom('nar')
    .select('id')
    .where('id', '=', narId)
    // Not removed before the object is there to keep it.
    .forKeyShare()
    .executeTakeFirst();
  if (nar === undefined) {
    throw new FlywheelError('conflict', 'the NAR was removed meanwhile', {
      details: { hint: 'push the path again' },
    });
  }
  if ('object' in use) await putObject(tx, narId, use.object, now);
  else await stageNar(tx, narId, use.staged, sql<number>`${now()} + ${STAGED_MS}`);
  if (lease !== undefined) await tx.deleteFrom('lease').where('id', '=', lease).execute();
}

/** Creates or replaces: a path that is pushed again gets the metadata of the last push. */
async function putObject(
  tx: Transaction<Schema>,
  narId: number,
  object: ObjectInput,
  now: Now,
): Promise<void> {
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
  await tx
    .insertInto('object')
    .values({ cache_id: object.cacheId, store_path_hash: object.storePathHash, ...values })
    .onConflict((conflict) => conflict.columns(['cache_id', 'store_path_hash']).doUpdateSet(values))
    .execute();
}

async function stageNar(
  tx: Transaction<Schema>,
  narId: number,
  { cacheId, fileName }: { readonly cacheId: number; readonly fileName: string },
  expiresAt: RawBuilder<number>,
): Promise<void> {
  await tx
    .insertInto('staged_nar')
    .values({ cache_id: cacheId, file_name: fileName, nar_id: narId, expires_at: expiresAt })
    .onConflict((conflict) =>
      conflict
        .columns(['cache_id', 'file_name'])
        .doUpdateSet({ nar_id: narId, expires_at: expiresAt }),
    )
    .execute();
}
