import type { Transaction } from 'kysely';
import type { Segment } from '@flywheel/chunking';
import { abandonLease, holdLease, leaseExpired } from './leases.ts';
import { holdPacks } from './hold-packs.ts';
import { NEW_PACK, type Nar, type NarCommit, type NarUse } from './metadata.ts';
import { healNar, narValues, writeNarPacks } from './nar-rows.ts';
import { narOf } from './rows.ts';
import { useNar } from './use-nar.ts';
import { writeChunks } from './write-chunks.ts';
import type { NarRow, Schema } from './schema.ts';
import type { Now } from './time.ts';

/**
 * Everything that makes a NAR exist, in the caller's transaction. See Metadata.commitNar. May run
 * again after a run whose end is not known.
 *
 * All who write take their locks in this order, and within a table in the order of its key, so that
 * none waits for another in a circle: lease, packs, NARs, chunks, objects.
 */
export async function commitNar(
  tx: Transaction<Schema>,
  commit: NarCommit,
  use: NarUse,
  now: Now,
): Promise<{ nar: Nar; adopted: boolean }> {
  const { lease } = commit;
  // Not held: it is dead, or has ended with an earlier run whose answer was lost.
  const held = await holdLease(tx, now, lease);
  const committedBefore = !held && (await isPackKnown(tx, commit.pack.key));
  const existing = await tx
    .selectFrom('nar')
    .selectAll()
    .where('hash', '=', commit.hash)
    .forKeyShare()
    .executeTakeFirst();
  if (existing !== undefined && existing.damaged === 0) {
    return adopt(tx, existing, { commit, use, now, adopted: committedBefore });
  }
  if (committedBefore) throw new Error('what an upload had just committed is gone already');
  if (!held) throw leaseExpired();
  await holdPacks(tx, commit.segments);
  const healed = existing && (await healedMeanwhile(tx, existing.id));
  if (healed !== undefined) {
    return adopt(tx, healed, { commit, use, now, adopted: false });
  }
  const pack = await tx
    .insertInto('pack')
    .values({ ...commit.pack, condemned_at: null, created_at: now() })
    .returning('id')
    .executeTakeFirstOrThrow();
  const segments = commit.segments.map((segment) =>
    segment.pack === NEW_PACK ? { ...segment, pack: pack.id } : segment,
  );
  // Before the chunks: who commits the same NAR at the same time waits here and has done little.
  const row = await writeNar(tx, existing, commit, segments, now);
  await writeChunks(tx, commit.chunks, pack.id);
  const packs = [...new Set([pack.id, ...segments.map((segment) => segment.pack)])];
  await writeNarPacks(
    tx,
    packs.map((id) => ({ nar_id: row.id, pack_id: id })),
  );
  if (commit.listing !== undefined) {
    await tx.insertInto('listing').values({ nar_id: row.id, body: commit.listing }).execute();
  }
  await useNar(tx, row.id, use, { lease, now });
  return { nar: narOf(row), adopted: true };
}

/** The NAR that is there already serves this use too. */
async function adopt(
  tx: Transaction<Schema>,
  nar: NarRow,
  { commit, use, now, adopted }: Adoption,
): Promise<{ nar: Nar; adopted: boolean }> {
  await useNar(tx, nar.id, use, { lease: undefined, now });
  // Not forgotten: should its process die before it has removed its pack, the lease still names it.
  await abandonLease(tx, commit.lease);
  return { nar: narOf(nar), adopted };
}

interface Adoption {
  readonly commit: NarCommit;
  readonly use: NarUse;
  readonly now: Now;
  readonly adopted: boolean;
}

async function isPackKnown(tx: Transaction<Schema>, key: string): Promise<boolean> {
  const row = await tx.selectFrom('pack').select('id').where('key', '=', key).executeTakeFirst();
  return row !== undefined;
}

/** Makes us the only one to heal the damaged NAR; what another has healed before us is returned. */
async function healedMeanwhile(
  tx: Transaction<Schema>,
  narId: number,
): Promise<NarRow | undefined> {
  const row = await tx
    .selectFrom('nar')
    .selectAll()
    .where('id', '=', narId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row?.damaged === 0 ? row : undefined;
}

async function writeNar(
  tx: Transaction<Schema>,
  damaged: NarRow | undefined,
  commit: NarCommit,
  segments: readonly Segment[],
  now: Now,
): Promise<NarRow> {
  const { hash, size, fileSize } = commit;
  const values = narValues({ size, fileSize, segments }, now());
  if (damaged !== undefined) return healNar(tx, damaged.id, values);
  return tx
    .insertInto('nar')
    .values({ hash, ...values })
    .returningAll()
    .executeTakeFirstOrThrow();
}
