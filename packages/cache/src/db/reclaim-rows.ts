import type { Kysely } from 'kysely';
import { oldestLease } from './leases.ts';
import type { Pack } from './metadata.ts';
import { padded } from './rows.ts';
import type { Schema } from './schema.ts';

// Rows that nothing needs any more. Each function does one bounded piece of work in a short
// transaction, so that uploads never wait long.

export async function removeUnusedNars(
  db: Kysely<Schema>,
  now: number,
  limit: number,
): Promise<number> {
  return db.transaction().execute(async (tx) => {
    await tx.deleteFrom('staged_nar').where('expires_at', '<=', now).execute();
    const unused = tx
      .selectFrom('nar')
      .select('nar.id')
      .where((eb) =>
        eb.not(
          eb.exists(
            eb.selectFrom('object').select('nar_id').whereRef('object.nar_id', '=', 'nar.id'),
          ),
        ),
      )
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('staged_nar')
              .select('nar_id')
              .whereRef('staged_nar.nar_id', '=', 'nar.id'),
          ),
        ),
      )
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('lease')
              .select('nar_id')
              .whereRef('lease.nar_id', '=', 'nar.id')
              .where('lease.expires_at', '>', now),
          ),
        ),
      )
      .limit(limit);
    const { numDeletedRows } = await tx
      .deleteFrom('nar')
      .where('id', 'in', unused)
      .executeTakeFirstOrThrow();
    return Number(numDeletedRows);
  });
}

export async function condemnPacks(db: Kysely<Schema>, now: number): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('pack')
    .set({ condemned_at: now })
    .where('condemned_at', 'is', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb.selectFrom('nar_pack').select('nar_id').whereRef('nar_pack.pack_id', '=', 'pack.id'),
        ),
      ),
    )
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

/** Condemned packs that no live upload can have seen alive. */
export async function condemnedPacks(
  db: Kysely<Schema>,
  now: number,
  limit: number,
): Promise<readonly Pack[]> {
  // An upload that began before the condemnation may hold chunks of the pack; one that began after
  // it cannot have found any.
  const oldest = (await oldestLease(db, now)) ?? now + 1;
  return db
    .selectFrom('pack')
    .select(['id', 'key', 'size'])
    .where('condemned_at', '<', oldest)
    .limit(limit)
    .execute();
}

export async function removePacks(db: Kysely<Schema>, ids: readonly number[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx.deleteFrom('chunk').where('pack_id', 'in', padded(ids)).execute();
    await tx.deleteFrom('pack').where('id', 'in', padded(ids)).execute();
  });
}
