import { decodeSegments, encodeSegments, type Segment } from '@flywheel/chunking';
import { sql, type Transaction } from 'kysely';
import { abandonLease, holdLease, leaseExpired } from './leases.ts';
import { NEW_PACK } from './metadata.ts';
import { writeNarPacks } from './nar-rows.ts';
import { batches, LIST_LIMIT, padded } from './rows.ts';
import type { Schema } from './schema.ts';
import type { Now } from './time.ts';

/** Packs whose needed bytes were copied into a new one. */
export interface Replacement {
  readonly lease: string;
  readonly pack: { readonly key: string; readonly size: number };
  /** Ids of the packs that are replaced. */
  readonly sources: readonly number[];
}

/** Downloads that have begun before their NAR moved may go on for so long. */
const READERS_MS = 3600 * 1000;

/**
 * Lets all NARs of the sources lie in the new pack, condemns the sources, and ends the lease. `move`
 * answers a NAR's segments with NEW_PACK in place of the sources, or undefined when it needs more than
 * was copied. Answers the new pack, or undefined, with nothing done, when that is so, when no NAR lies
 * in the sources any more, or when one of them is gone or damaged. Throws `conflict` when the lease has
 * expired. Takes its locks in the order of commitNar.
 */
export async function replacePacks(
  tx: Transaction<Schema>,
  now: Now,
  { lease, pack, sources }: Replacement,
  move: (segments: readonly Segment[]) => readonly Segment[] | undefined,
): Promise<number | undefined> {
  if (!(await holdLease(tx, now, lease))) {
    // An earlier run of this, whose answer was lost, may have done it.
    const done = await tx
      .selectFrom('pack')
      .select('id')
      .where('key', '=', pack.key)
      .executeTakeFirst();
    if (done === undefined) throw leaseExpired();
    return done.id;
  }
  const ids = sources.toSorted((a, b) => a - b);
  // Commits that lie in one hold it until they are done: their NARs are among those that follow.
  const held = await tx
    .selectFrom('pack')
    .select('id')
    .where('id', 'in', padded(ids))
    .where('lost', '=', 0)
    .where('condemned_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute();
  const nars = await tx
    .selectFrom('nar')
    .select(['id', 'segments', 'damaged'])
    .where(
      'id',
      'in',
      tx.selectFrom('nar_pack').select('nar_id').where('pack_id', 'in', padded(ids)),
    )
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  const whole = nars.filter((nar) => nar.damaged === 0);
  const moved = whole.map((nar) => move(decodeSegments(nar.segments)));
  if (held.length !== ids.length || nars.length === 0 || moved.includes(undefined)) {
    await abandonLease(tx, lease);
    return undefined;
  }
  const { id } = await tx
    .insertInto('pack')
    .values({ ...pack, condemned_at: null, created_at: now() })
    .returning('id')
    .executeTakeFirstOrThrow();
  for (const [i, nar] of whole.entries()) {
    const segments = (moved[i] ?? []).map((segment) =>
      segment.pack === NEW_PACK ? { ...segment, pack: id } : segment,
    );
    await tx
      .updateTable('nar')
      .set({ segments: encodeSegments(segments) })
      .where('id', '=', nar.id)
      .execute();
  }
  await writeNarPacks(
    tx,
    whole.map((nar) => ({ nar_id: nar.id, pack_id: id })),
  );
  for (const batch of batches(ids, LIST_LIMIT)) {
    // Those of damaged NARs too: what heals them writes their own anew.
    await tx.deleteFrom('nar_pack').where('pack_id', 'in', padded(batch)).execute();
    await tx
      .updateTable('pack')
      .set({ condemned_at: now(), keep_until: keptForReaders(now) })
      .where('id', 'in', padded(batch))
      .execute();
  }
  await tx.deleteFrom('lease').where('id', '=', lease).execute();
  return id;
}

/** What was to be kept longer still is. */
function keptForReaders(now: Now) {
  const until = sql<number>`${now()} + ${READERS_MS}`;
  return sql<number>`case when keep_until > ${until} then keep_until else ${until} end`;
}
