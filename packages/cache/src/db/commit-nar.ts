import type { Transaction } from 'kysely';
import { FlywheelError } from '@flywheel/base';
import { encodeSegments, type Segment } from '@flywheel/chunking';
import { leaseExpired } from './leases.ts';
import { NEW_PACK, type Nar, type NarCommit, type NarUse } from './metadata.ts';
import { insertRuns, narOf } from './rows.ts';
import { useNar } from './use-nar.ts';
import type { NarRow, Schema } from './schema.ts';

/** Everything that makes a NAR exist, in the caller's transaction. See Metadata.commitNar. */
export async function commitNar(
  tx: Transaction<Schema>,
  commit: NarCommit,
  use: NarUse,
  now: number,
): Promise<{ nar: Nar; adopted: boolean }> {
  await checkLease(tx, commit.lease, now);
  const existing = await tx
    .selectFrom('nar')
    .selectAll()
    .where('hash', '=', commit.hash)
    .executeTakeFirst();
  if (existing !== undefined && existing.damaged === 0) {
    await useNar(tx, existing.id, use, { lease: commit.lease, now });
    return { nar: narOf(existing), adopted: false };
  }
  await keepForeignPacks(tx, commit.segments);
  const pack = await tx
    .insertInto('pack')
    .values({ ...commit.pack, condemned_at: null, created_at: now })
    .returning('id')
    .executeTakeFirstOrThrow();
  for (const batch of insertRuns(commit.chunks)) {
    await tx
      .insertInto('chunk')
      .values(
        batch.map(({ hash, offset, length, size }) => ({
          hash,
          pack_id: pack.id,
          offset,
          length,
          size,
        })),
      )
      // Another upload may have stored the same chunk since we looked: one of them is enough.
      .onConflict((conflict) => conflict.column('hash').doNothing())
      .execute();
  }
  const segments = commit.segments.map((segment) =>
    segment.pack === NEW_PACK ? { ...segment, pack: pack.id } : segment,
  );
  const row = await writeNar(tx, existing, commit, segments, now);
  const packs = [...new Set([pack.id, ...segments.map((segment) => segment.pack)])];
  for (const batch of insertRuns(packs)) {
    await tx
      .insertInto('nar_pack')
      .values(batch.map((id) => ({ nar_id: row.id, pack_id: id })))
      .execute();
  }
  if (commit.listing !== undefined) {
    await tx.insertInto('listing').values({ nar_id: row.id, body: commit.listing }).execute();
  }
  await useNar(tx, row.id, use, { lease: commit.lease, now });
  return { nar: narOf(row), adopted: true };
}

async function checkLease(tx: Transaction<Schema>, lease: string, now: number): Promise<void> {
  const row = await tx
    .selectFrom('lease')
    .select('expires_at')
    .where('id', '=', lease)
    .executeTakeFirst();
  if (row === undefined || row.expires_at <= now) throw leaseExpired();
}

/** Packs found by findChunks may have been condemned since; this NAR is what saves them. */
async function keepForeignPacks(
  tx: Transaction<Schema>,
  segments: readonly Segment[],
): Promise<void> {
  const ids = [...new Set(segments.map((segment) => segment.pack))].filter((id) => id !== NEW_PACK);
  let kept = 0;
  for (const batch of insertRuns(ids)) {
    const { numUpdatedRows } = await tx
      .updateTable('pack')
      .set({ condemned_at: null })
      .where('id', 'in', batch)
      .executeTakeFirstOrThrow();
    kept += Number(numUpdatedRows);
  }
  if (kept !== ids.length) {
    throw new FlywheelError(
      'conflict',
      'stored data that this upload relied on was removed meanwhile',
      {
        details: { hint: 'push the path again' },
      },
    );
  }
}

async function writeNar(
  tx: Transaction<Schema>,
  damaged: NarRow | undefined,
  commit: NarCommit,
  segments: readonly Segment[],
  now: number,
): Promise<NarRow> {
  const values = {
    hash: commit.hash,
    size: commit.size,
    file_size: commit.fileSize,
    segments: encodeSegments(segments),
    damaged: 0,
    created_at: now,
  };
  if (damaged === undefined) {
    return tx.insertInto('nar').values(values).returningAll().executeTakeFirstOrThrow();
  }
  // The push heals it: same row, so that every object that named it has its bytes again.
  await tx.deleteFrom('nar_pack').where('nar_id', '=', damaged.id).execute();
  await tx.deleteFrom('listing').where('nar_id', '=', damaged.id).execute();
  return tx
    .updateTable('nar')
    .set(values)
    .where('id', '=', damaged.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}
