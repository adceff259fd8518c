import type { Transaction } from 'kysely';
import type { ChunkLocation } from './metadata.ts';
import { insertRuns } from './rows.ts';
import type { Schema } from './schema.ts';

/** Records where the chunks of a new pack lie. Of each hash one is enough, here and in the table. */
export async function writeChunks(
  tx: Transaction<Schema>,
  chunks: readonly ChunkLocation[],
  packId: number,
): Promise<void> {
  for (const batch of insertRuns(uniqueByHash(chunks))) {
    await tx
      .insertInto('chunk')
      .values(
        batch.map(({ hash, offset, length, size }) => ({
          hash,
          pack_id: packId,
          offset,
          length,
          size,
        })),
      )
      // Another upload may have stored the same chunk since we looked: one of them is enough. If
      // it lies in a condemned pack, later uploads shall find it here.
      .onConflict((conflict) =>
        conflict
          .column('hash')
          .doUpdateSet((eb) => ({
            pack_id: eb.ref('excluded.pack_id'),
            offset: eb.ref('excluded.offset'),
            length: eb.ref('excluded.length'),
            size: eb.ref('excluded.size'),
          }))
          .where((eb) =>
            eb.exists(
              eb
                .selectFrom('pack')
                .select('pack.id')
                .whereRef('pack.id', '=', 'chunk.pack_id')
                .where('pack.condemned_at', 'is not', null),
            ),
          ),
      )
      .execute();
  }
}

/** One chunk of each hash, in the order of hashes: that in which all who write chunks lock them. */
export function uniqueByHash<T extends { readonly hash: Buffer }>(
  chunks: readonly T[],
): readonly T[] {
  const sorted = chunks.toSorted((a, b) => a.hash.compare(b.hash));
  return sorted.filter((chunk, i) => sorted[i - 1]?.hash.equals(chunk.hash) !== true);
}
