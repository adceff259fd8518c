import { sql, type SqlBool } from 'kysely';
import { batchRows, type DatabaseHandle, type Rest } from './database.ts';
import { removeChunks } from './reclaim-rows.ts';
import { batches, LIST_LIMIT, padded } from './rows.ts';
import { trustIndexes } from './trust-indexes.ts';

/** Of a chunk in a pack, about: packs are taken together until they have a batch of chunks. */
const CHUNK_BYTES = 16 * 1024;

/**
 * See Metadata.removePacks. Of a lost pack nobody finds chunks any more, so they go before it, in
 * batches.
 */
export async function removePacks(
  database: DatabaseHandle,
  ids: readonly number[],
  rest: Rest,
): Promise<void> {
  const rows = batchRows(database);
  for (const batch of batches(ids, LIST_LIMIT)) {
    const packs = await lostPacks(database, batch);
    for (const together of takenTogether(packs, rows * CHUNK_BYTES)) {
      for (let removed = rows; removed === rows;) {
        removed = await removeFreeChunks(database, together, rows);
        await rest();
      }
    }
    for (const some of batches(packs, rows)) {
      await removeRows(
        database,
        some.map((pack) => pack.id),
      );
      await rest();
    }
  }
}

interface LostPack {
  readonly id: number;
  readonly size: number;
}

async function lostPacks(
  { db }: DatabaseHandle,
  ids: readonly number[],
): Promise<readonly LostPack[]> {
  return db
    .selectFrom('pack')
    .select(['id', 'size'])
    .where('id', 'in', padded(ids))
    .where('lost', '=', 1)
    .orderBy('id')
    .execute();
}

/** Packs that have about so many bytes in all. */
function* takenTogether(packs: readonly LostPack[], most: number): Generator<readonly number[]> {
  let together: number[] = [];
  let bytes = 0;
  for (const { id, size } of packs) {
    if (together.length > 0 && bytes + size > most) {
      yield together;
      together = [];
      bytes = 0;
    }
    together.push(id);
    bytes += size;
  }
  if (together.length > 0) yield together;
}

/** A row that is locked stays where it is: PostgreSQL need not look for it in the index again. */
const PLACES = {
  sqlite: { place: sql.ref('hash'), isGone: sql<SqlBool>`hash in (select place from gone)` },
  postgres: {
    place: sql.ref('ctid'),
    isGone: sql<SqlBool>`ctid = any(array(select place from gone))`,
  },
} as const;

/**
 * Removes up to `limit` chunks of these packs, and answers how many. Those that an upload holds stay.
 */
async function removeFreeChunks(
  database: DatabaseHandle,
  packs: readonly number[],
  limit: number,
): Promise<number> {
  const { place, isGone } = PLACES[database.kind];
  return database.transaction(async (tx) => {
    await trustIndexes(database, tx);
    const { numDeletedRows } = await tx
      // As a list of its own, PostgreSQL looks for it once; within the condition, as often as it likes.
      .with(
        (named) => named('gone').materialized(),
        (query) =>
          query
            .selectFrom('chunk')
            .select(place.as('place'))
            .where('pack_id', 'in', padded(packs))
            .limit(limit)
            .forUpdate()
            .skipLocked(),
      )
      .deleteFrom('chunk')
      .where(isGone)
      .executeTakeFirstOrThrow();
    return Number(numDeletedRows);
  });
}

/** Waits for the uploads that hold chunks of these packs: what they have not stored anew goes too. */
async function removeRows(database: DatabaseHandle, ids: readonly number[]): Promise<void> {
  await database.transaction(async (tx) => {
    await trustIndexes(database, tx);
    const lost = await tx
      .selectFrom('pack')
      .select('id')
      .where('id', 'in', padded(ids))
      .where('lost', '=', 1)
      .orderBy('id')
      .forUpdate()
      .execute();
    if (lost.length === 0) return;
    const gone = padded(lost.map((row) => row.id));
    // In the order in which uploads lock them, which the cascade does not know.
    await removeChunks(tx, gone);
    await tx.deleteFrom('pack').where('id', 'in', gone).execute();
  });
}
