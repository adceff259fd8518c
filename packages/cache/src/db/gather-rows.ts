import type { Transaction } from 'kysely';
import { decodeSegments, encodeSegments, SegmentList } from '@flywheel/chunking';
import { KEPT } from './attic-rows.ts';
import type { DatabaseHandle } from './database.ts';
import { abandonLease, holdLease, leaseExpired } from './leases.ts';
import type { Pack } from './metadata.ts';
import { keptForReaders } from './repack-rows.ts';
import { batches, insertRuns, LIST_LIMIT, padded } from './rows.ts';
import type { Schema } from './schema.ts';
import type { Now } from './time.ts';

/** Packs of one frame each that were copied into another, in its order. */
export interface Gathering {
  readonly lease: string;
  readonly pack: { readonly key: string; readonly size: number };
  readonly sources: readonly {
    readonly id: number;
    readonly length: number;
    readonly newOffset: number;
  }[];
}

/** The rows behind gathering what was taken over from Attic. */
export interface GatherMetadata {
  /** Whether a finished takeover may have left packs to gather. */
  isGatheringDue(): Promise<boolean>;
  /** None are left, unless a takeover is being finished now. */
  gatheringDone(): Promise<void>;
  /**
   * Up to `limit` packs that are objects of Attic, are ours to remove, and are needed, after `after`
   * and no larger than `maxBytes`.
   */
  packsToGather(after: number, limit: number, maxBytes: number): Promise<readonly Pack[]>;
  /** The same packs in the order in which NARs use them. */
  inNarOrder(packs: readonly Pack[]): Promise<readonly Pack[]>;
  /**
   * Lets all NARs of the sources lie in the new pack, condemns the sources, and ends the lease. They
   * stay for a while all the same: readers may have begun. Answers the new pack, or undefined when one
   * of the sources is gone or damaged by now; nothing is done then. Throws `conflict` when the lease
   * has expired.
   */
  commitGathering(gathering: Gathering): Promise<number | undefined>;
}

export function gatherQueries(database: DatabaseHandle, now: Now): GatherMetadata {
  const { db } = database;
  return {
    async isGatheringDue() {
      const row = await db
        .selectFrom('attic_place')
        .select('id')
        .where('finished_at', 'is not', null)
        .where('gathered_at', 'is', null)
        .executeTakeFirst();
      return row !== undefined;
    },

    async gatheringDone() {
      await db
        .updateTable('attic_place')
        .set({ gathered_at: now() })
        .where('finished_at', 'is not', null)
        .where('gathered_at', 'is', null)
        // Whoever finishes it may not have let all of them go yet.
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('pack')
                .select('pack.id')
                .where('pack.key', 'like', 'attic/%')
                .where('pack.keep_until', '=', KEPT),
            ),
          ),
        )
        .execute();
    },

    packsToGather: (after, limit, maxBytes) =>
      db
        .selectFrom('pack')
        .select(['pack.id', 'pack.key', 'pack.size'])
        .where('pack.id', '>', after)
        .where('pack.key', 'like', 'attic/%')
        .where('pack.size', '<=', maxBytes)
        .where('pack.lost', '=', 0)
        .where('pack.condemned_at', 'is', null)
        .where('pack.keep_until', 'is', null)
        .where((eb) =>
          eb.exists(
            eb
              .selectFrom('nar_pack')
              .innerJoin('nar', 'nar.id', 'nar_pack.nar_id')
              .select('nar.id')
              .whereRef('nar_pack.pack_id', '=', 'pack.id')
              .where('nar.damaged', '=', 0),
          ),
        )
        .orderBy('pack.id')
        .limit(limit)
        .execute(),

    async inNarOrder(packs) {
      const byId = new Map(packs.map((pack) => [pack.id, pack]));
      const ordered = new Set<Pack>();
      const nars = await db
        .selectFrom('nar')
        .select('segments')
        .where('id', 'in', narsIn(db, [...byId.keys()]))
        .where('damaged', '=', 0)
        .orderBy('id')
        .execute();
      for (const { segments } of nars) {
        for (const { pack } of decodeSegments(segments)) {
          const found = byId.get(pack);
          if (found !== undefined) ordered.add(found);
        }
      }
      return [...ordered];
    },

    commitGathering: (gathering) =>
      database.transaction((tx) => commitGathering(tx, now, gathering)),
  };
}

function narsIn(db: Pick<Transaction<Schema>, 'selectFrom'>, packs: readonly number[]) {
  return db.selectFrom('nar_pack').select('nar_id').where('pack_id', 'in', padded(packs));
}

/** Takes its locks in the order of commitNar. */
async function commitGathering(
  tx: Transaction<Schema>,
  now: Now,
  { lease, pack, sources }: Gathering,
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
  const ids = sources.map((source) => source.id).toSorted((a, b) => a - b);
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
  if (held.length !== ids.length) {
    await abandonLease(tx, lease);
    return undefined;
  }
  const nars = await tx
    .selectFrom('nar')
    .select(['id', 'segments'])
    .where('id', 'in', narsIn(tx, ids))
    .where('damaged', '=', 0)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  const { id } = await tx
    .insertInto('pack')
    .values({ ...pack, condemned_at: null, created_at: now() })
    .returning('id')
    .executeTakeFirstOrThrow();
  const offsets = new Map(sources.map((source) => [source.id, source.newOffset]));
  for (const nar of nars) {
    const list = new SegmentList();
    for (const segment of decodeSegments(nar.segments)) {
      const offset = offsets.get(segment.pack);
      list.add(
        offset === undefined ? segment : { ...segment, pack: id, offset: offset + segment.offset },
      );
    }
    await tx
      .updateTable('nar')
      .set({ segments: encodeSegments(list.segments) })
      .where('id', '=', nar.id)
      .execute();
  }
  for (const batch of insertRuns(nars)) {
    await tx
      .insertInto('nar_pack')
      .values(batch.map((nar) => ({ nar_id: nar.id, pack_id: id })))
      .execute();
  }
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
