import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { FlywheelError } from '@flywheel/base';
import type { Upload } from './metadata.ts';
import { narOf, padded } from './rows.ts';
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

/** The earliest start of a live lease. */
export async function oldestLease(db: Kysely<Schema>, now: number): Promise<number | undefined> {
  const row = await db
    .selectFrom('lease')
    .select((select) => select.fn.min('started_at').as('oldest'))
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return row?.oldest ?? undefined;
}

/**
 * How long a lease that ran out is remembered: an upload that stood still may wake up once more,
 * finish its pack, and only then learn that it is too late.
 */
const REMEMBER_MS = 24 * 3600 * 1000;

/** Leases whose upload is over without a commit: what it left may go. */
export async function deadLeases(
  db: Kysely<Schema>,
  now: number,
  limit: number,
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('lease')
    .select('id')
    .where('expires_at', '<=', now)
    .orderBy('expires_at')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

export async function forgetLeases(
  db: Kysely<Schema>,
  now: number,
  leases: readonly string[],
): Promise<void> {
  await db
    .deleteFrom('lease')
    .where('id', 'in', padded(leases))
    .where('expires_at', '<=', now - REMEMBER_MS)
    .execute();
}

export function leaseExpired(): FlywheelError {
  return new FlywheelError('conflict', 'the upload stood still for too long and was given up', {
    details: { hint: 'push the path again' },
  });
}
