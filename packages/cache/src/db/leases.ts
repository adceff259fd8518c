import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { FlywheelError } from '@flywheel/base';
import type { Upload } from './metadata.ts';
import { narOf } from './rows.ts';
import type { Schema } from './schema.ts';

/**
 * How long an upload's hold on the store lasts without a sign of life. A killed process needs no
 * clean-up: its leases run out.
 */
export const LEASE_MS = 10 * 60 * 1000;

export async function beginUpload(
  db: Kysely<Schema>,
  now: number,
  narHash: Buffer | undefined,
): Promise<Upload> {
  const lease = randomBytes(10).toString('hex');
  return db.transaction().execute(async (tx) => {
    const row =
      narHash === undefined
        ? undefined
        : await tx
            .selectFrom('nar')
            .selectAll()
            .where('hash', '=', narHash)
            .where('damaged', '=', 0)
            .executeTakeFirst();
    await tx
      .insertInto('lease')
      .values({ id: lease, started_at: now, expires_at: now + LEASE_MS, nar_id: row?.id ?? null })
      .execute();
    return { lease, nar: row && narOf(row) };
  });
}

export async function renewLease(db: Kysely<Schema>, now: number, lease: string): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('lease')
    .set({ expires_at: now + LEASE_MS })
    .where('id', '=', lease)
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) throw leaseExpired();
}

export async function oldestLease(db: Kysely<Schema>, now: number): Promise<number | undefined> {
  await db.deleteFrom('lease').where('expires_at', '<=', now).execute();
  const row = await db
    .selectFrom('lease')
    .select((select) => select.fn.min('started_at').as('oldest'))
    .executeTakeFirst();
  return row?.oldest ?? undefined;
}

export function leaseExpired(): FlywheelError {
  return new FlywheelError('conflict', 'the upload stood still for too long and was given up', {
    details: { hint: 'push the path again' },
  });
}
