import type { Transaction } from 'kysely';
import { batchRows, type DatabaseHandle, type Rest } from './database.ts';
import { HashOrder } from './hash-order.ts';
import { batches, bufferOf, LIST_LIMIT, padded } from './rows.ts';
import type { Schema } from './schema.ts';
import { trustIndexes } from './trust-indexes.ts';

/** Chunks that are sorted together: 16 MiB of hashes. */
const SORTED_CHUNKS = 2 ** 19;

/** Packs whose chunks are read in one statement have so many bytes in all: a thousand chunks. */
const READ_BYTES = 16 * 1024 * 1024;

/**
 * See Metadata.removePacks. Of a lost pack nobody finds chunks any more, so they go before it, in
 * batches. The chunks of many packs go in the order of their hashes, which is that of the table:
 * each page of it is then changed once, where pack by pack every chunk would change another one.
 */
export async function removePacks(
  database: DatabaseHandle,
  ids: readonly number[],
  rest: Rest,
): Promise<void> {
  let group: number[] = [];
  let chunks = new HashOrder();
  const removeGroup = async (): Promise<void> => {
    await removeChunks(database, new Set(group), chunks.sorted(), rest);
    await removeRows(database, group, rest);
    group = [];
    chunks = new HashOrder();
  };
  for (const packs of readTogether(await lostPacks(database, ids, rest))) {
    group.push(...packs);
    await readChunks(database, packs, chunks);
    await rest();
    if (chunks.count >= SORTED_CHUNKS) await removeGroup();
  }
  await removeGroup();
}

interface LostPack {
  readonly id: number;
  readonly size: number;
}

async function lostPacks(
  { db }: DatabaseHandle,
  ids: readonly number[],
  rest: Rest,
): Promise<readonly LostPack[]> {
  const packs: LostPack[] = [];
  for (const batch of batches(ids, LIST_LIMIT)) {
    const rows = await db
      .selectFrom('pack')
      .select(['id', 'size'])
      .where('id', 'in', padded(batch))
      .where('lost', '=', 1)
      .execute();
    packs.push(...rows);
    await rest();
  }
  return packs.toSorted((a, b) => a.id - b.id);
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

async function readChunks(
  database: DatabaseHandle,
  packs: readonly number[],
  chunks: HashOrder,
): Promise<void> {
  for (const batch of batches(packs, LIST_LIMIT)) {
    const rows = await database.transaction(async (tx) => {
      await trustIndexes(database, tx);
      return tx
        .selectFrom('chunk')
        .select('hash')
        .where('pack_id', 'in', padded(batch))
        .execute();
    });
    for (const row of rows) chunks.add(bufferOf(row.hash));
  }
}

async function removeChunks(
  database: DatabaseHandle,
  packs: ReadonlySet<number>,
  hashes: Iterable<Buffer>,
  rest: Rest,
): Promise<void> {
  const most = batchRows(database);
  let batch: Buffer[] = [];
  const removeBatch = async (): Promise<void> => {
    await database.transaction(async (tx) => {
      await trustIndexes(database, tx);
      await removeInOrder(tx, packs, batch);
    });
    batch = [];
    await rest();
  };
  for (const hash of hashes) {
    batch.push(hash);
    if (batch.length === most) await removeBatch();
  }
  if (batch.length > 0) await removeBatch();
}

async function removeInOrder(
  tx: Transaction<Schema>,
  packs: ReadonlySet<number>,
  hashes: readonly Buffer[],
): Promise<void> {
  // Locked in the order in which commits write them, then looked at: an upload may have stored the
  // same chunk anew.
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
}

async function removeRows(
  database: DatabaseHandle,
  ids: readonly number[],
  rest: Rest,
): Promise<void> {
  for (const batch of batches(ids, batchRows(database))) {
    await database.transaction(async (tx) => {
      await trustIndexes(database, tx);
      const lost = await tx
        .selectFrom('pack')
        .select('id')
        .where('id', 'in', padded(batch))
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
    await rest();
  }
}
