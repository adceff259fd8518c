import { batchRows, type DatabaseHandle, type Rest } from './database.ts';
import { batches, bufferOf, LIST_LIMIT, padded } from './rows.ts';
import { trustIndexes } from './trust-indexes.ts';

/** Packs whose chunks are read in one statement have so many bytes in all: a thousand chunks. */
const READ_BYTES = 16 * 1024 * 1024;

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
    for (const together of readTogether(packs)) {
      const lost = new Set(together);
      for (const hashes of batches(await chunksOf(database, together), rows)) {
        await removeChunks(database, lost, hashes);
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

function* readTogether(packs: readonly LostPack[]): Generator<readonly number[]> {
  let together: number[] = [];
  let bytes = 0;
  for (const { id, size } of packs) {
    if (together.length > 0 && bytes + size > READ_BYTES) {
      yield together;
      together = [];
      bytes = 0;
    }
    together.push(id);
    bytes += size;
  }
  if (together.length > 0) yield together;
}

async function chunksOf(
  database: DatabaseHandle,
  packs: readonly number[],
): Promise<readonly Buffer[]> {
  const rows = await database.transaction(async (tx) => {
    await trustIndexes(database, tx);
    return tx.selectFrom('chunk').select('hash').where('pack_id', 'in', padded(packs)).execute();
  });
  return rows.map((row) => bufferOf(row.hash));
}

async function removeChunks(
  database: DatabaseHandle,
  packs: ReadonlySet<number>,
  hashes: readonly Buffer[],
): Promise<void> {
  await database.transaction(async (tx) => {
    await trustIndexes(database, tx);
    // Locked in the order in which commits write them, then looked at: an upload may have stored
    // the same chunk anew.
    const rows = await tx
      .selectFrom('chunk')
      .select(['hash', 'pack_id'])
      .where('hash', 'in', padded(hashes))
      .orderBy('hash')
      .forUpdate()
      .execute();
    const gone = rows.filter((row) => packs.has(row.pack_id)).map((row) => row.hash);
    if (gone.length === 0) return;
    await tx.deleteFrom('chunk').where('hash', 'in', padded(gone)).execute();
  });
}

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
    await tx
      .deleteFrom('pack')
      .where('id', 'in', padded(lost.map((row) => row.id)))
      .execute();
  });
}
