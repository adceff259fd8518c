import { setImmediate } from 'node:timers/promises';
import {
  sql,
  type ExpressionBuilder,
  type Kysely,
  type SqlBool,
  type Expression,
  type RawBuilder,
} from 'kysely';
import { batchRows, type DatabaseHandle, type Rest } from './database.ts';
import { declareDead } from './leases.ts';
import { lockRows } from './lock-rows.ts';
import type { CondemnedQuery, Pack } from './metadata.ts';
import { noteSparsePacks } from './repack-rows.ts';
import { padded } from './rows.ts';
import type { Schema } from './schema.ts';
import type { Now } from './time.ts';
import { trustIndexes } from './trust-indexes.ts';

// Rows that nothing needs any more. Each function does one bounded piece of work in a short
// transaction, so that uploads never wait long, and passes by what an upload holds.
//
// With PostgreSQL, a statement that finds and removes at once removes what it found before it had
// the lock. So each finds and locks, then looks again: whoever took a reference in between has
// committed it by then, and nobody can take one any more.

/**
 * See Metadata.removeUnusedNars. Remembers how far it has looked, so that the batches of a run look
 * at the NARs that stay once together, not once each.
 */
export function unusedNarRemover(
  database: DatabaseHandle,
  now: Now,
): (limit: number) => Promise<number> {
  let after = 0;
  return async (limit) => {
    await declareDead(database.db, now);
    await database.db.deleteFrom('staged_nar').where('expires_at', '<=', now()).execute();
    let removed = 0;
    // Fewer than asked for is only the answer when all were looked at.
    for (let fromStart = after === 0; ;) {
      const batch = await removeBatch(database, now, after, limit - removed);
      removed += batch.removed;
      after = batch.last;
      if (removed === limit) return removed;
      if (batch.atEnd) {
        after = 0;
        if (fromStart) return removed;
        fromStart = true;
      }
      await setImmediate();
    }
  };
}

/** Rows that are looked at for each that may be changed: looking is that much cheaper. */
const LOOK_FACTOR = 8;

async function removeBatch(database: DatabaseHandle, now: Now, after: number, limit: number) {
  const rows = batchRows(database);
  const most = Math.min(limit, rows);
  return database.transaction(async (tx) => {
    await trustIndexes(database, tx);
    const end = await tx
      .selectFrom('nar')
      .select('id')
      .where('id', '>', after)
      .orderBy('id')
      .offset(rows * LOOK_FACTOR)
      .limit(1)
      .executeTakeFirst();
    const upTo = end?.id ?? Number.MAX_SAFE_INTEGER;
    const found = await tx
      .selectFrom('nar')
      .select('nar.id')
      .where('nar.id', '>', after)
      .where('nar.id', '<=', upTo)
      .where((eb) => isUnused(eb, after))
      .orderBy('nar.id')
      .limit(most)
      .forUpdate()
      .skipLocked()
      .execute();
    const isFull = found.length === most;
    const place = { last: isFull ? (found.at(-1)?.id ?? after) : upTo, atEnd: !isFull && !end };
    if (found.length === 0) return { removed: 0, ...place };
    const ids = padded(found.map((row) => row.id));
    await noteSparsePacks(tx, now, ids);
    const { numDeletedRows } = await tx
      .deleteFrom('nar')
      .where('nar.id', 'in', ids)
      .where((eb) => isUnused(eb, after))
      .executeTakeFirstOrThrow();
    return { removed: Number(numDeletedRows), ...place };
  });
}

function isUnused(eb: ExpressionBuilder<Schema, 'nar'>, after: number): Expression<SqlBool> {
  const object = eb
    .selectFrom('object')
    .whereRef('object.nar_id', '=', 'nar.id')
    // Follows from the NAR's own, which PostgreSQL does not see: it would merge from the first.
    .where('object.nar_id', '>', after);
  const staged = eb.selectFrom('staged_nar').whereRef('staged_nar.nar_id', '=', 'nar.id');
  const lease = eb
    .selectFrom('lease')
    .whereRef('lease.nar_id', '=', 'nar.id')
    .where('lease.dead', '=', 0);
  return eb.and([
    eb.not(eb.exists(object.select('object.nar_id'))),
    eb.not(eb.exists(staged.select('staged_nar.nar_id'))),
    eb.not(eb.exists(lease.select('lease.nar_id'))),
  ]);
}

/** See Metadata.condemnPacks. */
export async function condemnPacks(
  database: DatabaseHandle,
  now: Now,
  rest: Rest,
): Promise<number> {
  let condemned = 0;
  for (let after = 0; ;) {
    const end = await endOfLook(database, after);
    condemned += await condemnBetween(database, now, after, end ?? Number.MAX_SAFE_INTEGER);
    if (end === undefined) return condemned;
    after = end;
    await rest();
  }
}

/** The last pack of those after this one that one statement may look at; undefined: all. */
async function endOfLook(database: DatabaseHandle, after: number): Promise<number | undefined> {
  const end = await database.db
    .selectFrom('pack')
    .select('id')
    .where('id', '>', after)
    .orderBy('id')
    .offset(batchRows(database) * LOOK_FACTOR)
    .limit(1)
    .executeTakeFirst();
  return end?.id;
}

async function condemnBetween(
  database: DatabaseHandle,
  now: Now,
  after: number,
  upTo: number,
): Promise<number> {
  return database.transaction(async (tx) => {
    await trustIndexes(database, tx);
    const unused = tx
      .selectFrom('pack')
      .select('pack.id')
      .where('pack.id', '>', after)
      .where('pack.id', '<=', upTo)
      .where('pack.condemned_at', 'is', null)
      .where((eb) => eb.not(holdsNar(eb)))
      .forNoKeyUpdate()
      .skipLocked();
    const { numUpdatedRows } = await tx
      .updateTable('pack')
      .set({ condemned_at: now() })
      .where('id', 'in', unused)
      .executeTakeFirstOrThrow();
    // An upload may have come between finding and locking; and one that saved a condemned pack
    // together with others leaves it to us to say so.
    const used = tx
      .selectFrom('pack')
      .select('pack.id')
      .where('pack.id', '>', after)
      .where('pack.id', '<=', upTo)
      .where('pack.condemned_at', 'is not', null)
      .where('pack.lost', '=', 0)
      .where(holdsNar)
      .forNoKeyUpdate()
      .skipLocked();
    await tx.updateTable('pack').set({ condemned_at: null }).where('id', 'in', used).execute();
    return Number(numUpdatedRows);
  });
}

function holdsNar(eb: ExpressionBuilder<Schema, 'pack'>): Expression<SqlBool> {
  return eb.exists(
    eb
      .selectFrom('nar_pack')
      .select('nar_pack.nar_id')
      .whereRef('nar_pack.pack_id', '=', 'pack.id'),
  );
}

/** A NAR that is damaged needs nothing of its packs any more. */
export function holdsIntactNar(eb: ExpressionBuilder<Schema, 'pack'>): Expression<SqlBool> {
  return eb.exists(
    eb
      .selectFrom('nar_pack')
      .innerJoin('nar', 'nar.id', 'nar_pack.nar_id')
      .select('nar.id')
      .whereRef('nar_pack.pack_id', '=', 'pack.id')
      .where('nar.damaged', '=', 0),
  );
}

/** A condemnation bears the time at which its statement began, and is seen when it has ended. */
const CONDEMNATION_TAKES_MS = 60_000;

/**
 * Condemned packs that no live upload can have seen alive. From now on they are lost to all, also
 * to uploads that wake up too late: their blobs may go.
 */
export async function condemnedPacks(
  database: DatabaseHandle,
  now: Now,
  limit: number,
  { after = 0, condemnedBy }: CondemnedQuery,
): Promise<readonly Pack[]> {
  await declareDead(database.db, now);
  for (let from = after; ;) {
    const end = await endOfLook(database, from);
    const found = await database.db
      .selectFrom('pack')
      .select('id')
      .where('id', '>', from)
      .where('id', '<=', end ?? Number.MAX_SAFE_INTEGER)
      .where('condemned_at', 'is not', null)
      .orderBy('id')
      .limit(limit)
      .execute();
    const ids = found.map((row) => row.id);
    const lost = ids.length === 0 ? [] : await declareLost(database, now, ids, condemnedBy);
    if (lost.length > 0) return lost;
    const last = ids.length === limit ? ids.at(-1) : end;
    if (last === undefined) return [];
    from = last;
    await setImmediate();
  }
}

async function declareLost(
  database: DatabaseHandle,
  now: Now,
  ids: readonly number[],
  condemnedBy: number | undefined,
): Promise<readonly Pack[]> {
  return database.transaction(async (tx) => {
    await trustIndexes(database, tx);
    const found = await tx
      .selectFrom('pack')
      .select('pack.id')
      .where('pack.id', 'in', padded(ids))
      .where((eb) => eb.or([eb('keep_until', 'is', null), eb('keep_until', '<=', now())]))
      // An upload that began before the condemnation was seen may hold chunks of the pack; one that
      // began after it cannot have found any. One statement, so that it sees both as they were at
      // one moment.
      .where('pack.condemned_at', '<=', lastHarmlessCondemnation(condemnedBy))
      .where((eb) => eb.not(holdsNar(eb)))
      .forUpdate()
      .skipLocked()
      .execute();
    if (found.length === 0) return [];
    const packs = await tx
      .updateTable('pack')
      .set({ lost: 1 })
      .where('pack.id', 'in', padded(found.map((row) => row.id)))
      .where((eb) => eb.not(holdsNar(eb)))
      .returning(['pack.id', 'pack.key', 'pack.size'])
      .execute();
    return packs.toSorted((a, b) => a.id - b.id);
  });
}

/**
 * Up to when a condemnation was seen by every live upload. When all of them began after the end of
 * a round of condemnations, that is its end. Else it takes a margin.
 */
function lastHarmlessCondemnation(condemnedBy: number | undefined): RawBuilder<number> {
  const margin = sql<number>`min(lease.started_at) - ${CONDEMNATION_TAKES_MS}`;
  const end = sql<number>`cast(${condemnedBy ?? 0} as bigint)`;
  const bound =
    condemnedBy === undefined
      ? margin
      : sql<number>`case when min(lease.started_at) > ${end} then ${end} else ${margin} end`;
  return sql<number>`(
    select coalesce(${bound}, ${Number.MAX_SAFE_INTEGER}) from lease where lease.dead = 0)`;
}

export async function removeChunks(tx: Kysely<Schema>, packIds: readonly number[]): Promise<void> {
  // In the order in which commits write them.
  await lockRows(
    tx,
    tx
      .selectFrom('chunk')
      .select('hash')
      .where('pack_id', 'in', packIds)
      .orderBy('hash')
      .forUpdate(),
  );
  await tx.deleteFrom('chunk').where('pack_id', 'in', packIds).execute();
}
