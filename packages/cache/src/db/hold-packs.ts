import type { Transaction } from 'kysely';
import { FlywheelError } from '@flywheel/base';
import type { Segment } from '@flywheel/chunking';
import { NEW_PACK } from './metadata.ts';
import { batches, LIST_LIMIT, padded } from './rows.ts';
import type { Schema } from './schema.ts';

/**
 * Keeps the packs that findChunks has found, until this NAR does. They may have been condemned
 * since, and then are no more; or damaged, or already on their way out, and then it is too late.
 */
export async function holdPacks(
  tx: Transaction<Schema>,
  segments: readonly Segment[],
): Promise<void> {
  const ids = [...new Set(segments.map((segment) => segment.pack))]
    .filter((id) => id !== NEW_PACK)
    .toSorted((a, b) => a - b);
  const condemned: number[] = [];
  let held = 0;
  for (const batch of batches(ids, LIST_LIMIT)) {
    const rows = await tx
      .selectFrom('pack')
      .select(['id', 'condemned_at'])
      .where('id', 'in', padded(batch))
      .where('lost', '=', 0)
      .orderBy('id')
      // Shared: many uploads lie in the same packs.
      .forShare()
      .execute();
    held += rows.length;
    for (const row of rows) if (row.condemned_at !== null) condemned.push(row.id);
  }
  if (held !== ids.length) {
    throw new FlywheelError(
      'conflict',
      'stored data that this upload relied on was removed meanwhile',
      { details: { hint: 'push the path again' } },
    );
  }
  for (const batch of batches(condemned, LIST_LIMIT)) {
    // Waiting for others that hold it too would be a circle. If skipped, condemnPacks does it.
    const alone = tx
      .selectFrom('pack')
      .select('id')
      .where('id', 'in', padded(batch))
      .forNoKeyUpdate()
      .skipLocked();
    await tx.updateTable('pack').set({ condemned_at: null }).where('id', 'in', alone).execute();
  }
}
