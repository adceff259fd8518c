import { decodeSegments, SegmentList, type Segment } from '@flywheel/chunking';
import { KEPT } from './attic-rows.ts';
import type { DatabaseHandle } from './database.ts';
import { NEW_PACK, type Pack } from './metadata.ts';
import { holdsIntactNar } from './reclaim-rows.ts';
import { replacePacks } from './replace-packs.ts';
import { padded } from './rows.ts';
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
        .where(holdsIntactNar)
        .orderBy('pack.id')
        .limit(limit)
        .execute(),

    async inNarOrder(packs) {
      const byId = new Map(packs.map((pack) => [pack.id, pack]));
      const ordered = new Set<Pack>();
      const nars = await db
        .selectFrom('nar')
        .select('segments')
        .where(
          'id',
          'in',
          db
            .selectFrom('nar_pack')
            .select('nar_id')
            .where('pack_id', 'in', padded([...byId.keys()])),
        )
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

    commitGathering: ({ lease, pack, sources }) =>
      database.transaction((tx) => {
        const offsets = new Map(sources.map((source) => [source.id, source.newOffset]));
        const ids = [...offsets.keys()];
        return replacePacks(tx, now, { lease, pack, sources: ids }, (segments) =>
          movedSegments(segments, offsets),
        );
      }),
  };
}

/** The segments of a NAR, with those of packs that begin at these offsets now as those of NEW_PACK. */
function movedSegments(
  segments: readonly Segment[],
  offsets: ReadonlyMap<number, number>,
): readonly Segment[] {
  const list = new SegmentList();
  for (const segment of segments) {
    const offset = offsets.get(segment.pack);
    list.add(
      offset === undefined
        ? segment
        : { ...segment, pack: NEW_PACK, offset: offset + segment.offset },
    );
  }
  return list.segments;
}
