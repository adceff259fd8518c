import { sql, type RawBuilder, type Transaction } from 'kysely';
import { FlywheelError } from '@flywheel/base';
import type { NarUse } from './metadata.ts';
import { putObject } from './put-object.ts';
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
  if ('object' in use) await putObject(tx, narId, use, now);
  else await stageNar(tx, narId, use.staged, sql<number>`${now()} + ${STAGED_MS}`);
  if (lease !== undefined) await tx.deleteFrom('lease').where('id', '=', lease).execute();
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
