import type { Transaction } from 'kysely';
import { encodeSegments, type Segment } from '@flywheel/chunking';
import { insertRuns } from './rows.ts';
import type { NarRow, Schema } from './schema.ts';
import type { Now } from './time.ts';

/** Where an intact NAR lies and how large it is. */
export interface PlacedNar {
  readonly size: number;
  readonly fileSize: number;
  readonly segments: readonly Segment[];
}

/** The row of an intact NAR, but for its hash. */
export function narValues<CREATED extends number | ReturnType<Now>>(
  { size, fileSize, segments }: PlacedNar,
  createdAt: CREATED,
) {
  return {
    size,
    file_size: fileSize,
    segments: encodeSegments(segments),
    damaged: 0,
    created_at: createdAt,
  };
}

/**
 * Gives a damaged NAR, whose row is locked, its bytes again: in the same row, so that every path that
 * named it has them. Which packs it lies in is for the caller to write.
 */
export async function healNar(
  tx: Transaction<Schema>,
  id: number,
  values: ReturnType<typeof narValues>,
): Promise<NarRow> {
  await tx.deleteFrom('nar_pack').where('nar_id', '=', id).execute();
  await tx.deleteFrom('listing').where('nar_id', '=', id).execute();
  return tx
    .updateTable('nar')
    .set(values)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Says in which packs NARs lie. */
export async function writeNarPacks(
  tx: Transaction<Schema>,
  places: readonly { readonly nar_id: number; readonly pack_id: number }[],
): Promise<void> {
  for (const batch of insertRuns(places)) {
    await tx.insertInto('nar_pack').values(batch).execute();
  }
}
