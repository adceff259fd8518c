import { randomBytes } from 'node:crypto';
import { sql, type Kysely, type Transaction } from 'kysely';
import { FlywheelError } from '@flywheel/base';
import type { DatabaseHandle } from './database.ts';
import type { Upload } from './metadata.ts';
import { narOf, padded } from './rows.ts';
import type { Schema } from './schema.ts';
import type { Now } from './time.ts';

/**
 * How long an upload's hold on the store lasts without a sign of life. A killed process needs no
 * clean-up: its leases run out.
 */
export const LEASE_MS = 10 * 60 * 1000;

export async function beginUpload(
  database: DatabaseHandle,
  now: Now,
  narHash: Buffer | undefined,
): Promise<Upload> {
  return database.transaction(async (tx) => {
    const lease = randomBytes(10).toString('hex');
    const row =
      narHash === undefined
        ? undefined
        : await tx
            .selectFrom('nar')
            .selectAll()
            .where('hash', '=', narHash)
            .where('damaged', '=', 0)
            // Not removed before the lease is there to keep it.
            .forKeyShare()
            .executeTakeFirst();
    await tx
      .insertInto('lease')
      .values({
        id: lease,
        started_at: now(),
        expires_at: leaseEnd(now),
        nar_id: row?.id ?? null,
      })
      .execute();
    return { lease, nar: row && narOf(row) };
  });
}

export async function renewLease(db: Kysely<Schema>, now: Now, lease: string): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('lease')
    .set({ expires_at: leaseEnd(now) })
    .where('id', '=', lease)
    .where('dead', '=', 0)
    .where('expires_at', '>', now())
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) throw leaseExpired();
}

export async function abandonLease(db: Kysely<Schema>, lease: string): Promise<void> {
  await db.updateTable('lease').set({ expires_at: 0, dead: 1 }).where('id', '=', lease).execute();
}

function leaseEnd(now: Now) {
  return sql<number>`${now()} + ${LEASE_MS}`;
}

/**
 * Keeps the lease alive until the end of the transaction, whatever the time: who declares leases
 * dead passes by. False when it is dead or gone.
 */
export async function holdLease(
  tx: Transaction<Schema>,
  now: Now,
  lease: string,
): Promise<boolean> {
  const row = await tx
    .selectFrom('lease')
    .select('id')
    .where('id', '=', lease)
    .where('dead', '=', 0)
    .where('expires_at', '>', now())
    .forUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/** Ends the leases whose time is over: from now on they cannot commit. */
export async function declareDead(db: Kysely<Schema>, now: Now): Promise<void> {
  const over = db
    .selectFrom('lease')
    .select('id')
    .where('dead', '=', 0)
    .where('expires_at', '<=', now())
    // Those that are committing right now may.
    .forUpdate()
    .skipLocked();
  await db.updateTable('lease').set({ dead: 1 }).where('id', 'in', over).execute();
}

/** The earliest start of a live lease. */
export async function oldestLease(db: Kysely<Schema>, now: Now): Promise<number | undefined> {
  await declareDead(db, now);
  const row = await db
    .selectFrom('lease')
    .select((select) => select.fn.min('started_at').as('oldest'))
    .where('dead', '=', 0)
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
  now: Now,
  limit: number,
): Promise<readonly string[]> {
  await declareDead(db, now);
  const rows = await db
    .selectFrom('lease')
    .select('id')
    .where('dead', '=', 1)
    .orderBy('expires_at')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

export async function forgetLeases(
  database: DatabaseHandle,
  now: Now,
  leases: readonly string[],
): Promise<void> {
  await database.transaction((tx) =>
    tx
      .deleteFrom('lease')
      .where('id', 'in', padded(leases))
      .where('dead', '=', 1)
      .where('expires_at', '<=', sql<number>`${now()} - ${REMEMBER_MS}`)
      .execute(),
  );
}

export function leaseExpired(): FlywheelError {
  return new FlywheelError('conflict', 'the upload stood still for too long and was given up', {
    details: { hint: 'push the path again' },
  });
}
