import type { Transaction } from 'kysely';
import { decodeSegments, SegmentList, type Segment } from '@flywheel/chunking';
import type { DatabaseHandle } from './database.ts';
import { NEW_PACK, type ChunkLocation, type Pack } from './metadata.ts';
import { replacePacks } from './replace-packs.ts';
import { batches, LIST_LIMIT, padded } from './rows.ts';
import type { Schema } from './schema.ts';
import type { Now } from './time.ts';
import { writeChunks } from './write-chunks.ts';

/** A pack that has lost NARs, and what is still needed of it. */
export interface SparsePack extends Pack {
  /** Ranges of bytes that NARs lie in, disjoint, in order. */
  readonly live: readonly { readonly offset: number; readonly length: number }[];
}

/** Frames of one pack that were copied into another. */
export interface Repacking {
  readonly lease: string;
  readonly source: number;
  readonly pack: { readonly key: string; readonly size: number };
  /** In order; each keeps its length. */
  readonly frames: readonly {
    readonly offset: number;
    readonly length: number;
    readonly newOffset: number;
  }[];
}

/** The rows behind repacking. */
export interface RepackMetadata {
  /** Up to `limit` packs after `after` that have lost a NAR; those that are gone are forgotten. */
  sparsePacks(after: number, limit: number): Promise<readonly SparsePack[]>;
  /** They were looked at. */
  forgetSparsePacks(ids: readonly number[]): Promise<void>;
  /**
   * Lets all NARs of the source lie in the new pack, condemns the source, and ends the lease. The
   * source stays for a while all the same: readers may have begun. Answers the new pack, or
   * undefined when a NAR has come meanwhile that needs more than was copied; nothing is done then.
   * Throws `conflict` when the lease has expired.
   */
  commitRepack(repacking: Repacking): Promise<number | undefined>;
  /** Lets uploads find these chunks in their new pack. */
  moveChunks(pack: number, chunks: readonly ChunkLocation[]): Promise<void>;
}

/** Remembers the packs in which these NARs lie, which are about to go, and others too. */
export async function noteSparsePacks(
  tx: Transaction<Schema>,
  now: Now,
  narIds: readonly number[],
): Promise<void> {
  await tx
    .insertInto('sparse_pack')
    .columns(['pack_id', 'noted_at'])
    .expression((eb) =>
      eb
        .selectFrom('nar_pack')
        .select(['nar_pack.pack_id', now().as('noted_at')])
        .distinct()
        .where('nar_pack.nar_id', 'in', narIds)
        .where((where) =>
          where.exists(
            where
              .selectFrom('nar_pack as other')
              .select('other.nar_id')
              .whereRef('other.pack_id', '=', 'nar_pack.pack_id')
              .where('other.nar_id', 'not in', narIds),
          ),
        )
        // Two who note the same packs in two orders would wait for each other.
        .orderBy('nar_pack.pack_id'),
    )
    .onConflict((conflict) => conflict.column('pack_id').doNothing())
    .execute();
}

export function repackQueries(database: DatabaseHandle, now: Now): RepackMetadata {
  const { db } = database;

  async function forgetSparsePacks(ids: readonly number[]): Promise<void> {
    for (const batch of batches(ids, LIST_LIMIT)) {
      await db.deleteFrom('sparse_pack').where('pack_id', 'in', padded(batch)).execute();
    }
  }

  return {
    async sparsePacks(after, limit) {
      for (let from = after; ;) {
        const noted = await db
          .selectFrom('sparse_pack')
          .leftJoin('pack', (join) =>
            join
              .onRef('pack.id', '=', 'sparse_pack.pack_id')
              .on('pack.lost', '=', 0)
              .on('pack.condemned_at', 'is', null),
          )
          .select(['sparse_pack.pack_id', 'pack.id', 'pack.key', 'pack.size'])
          .where('sparse_pack.pack_id', '>', from)
          .orderBy('sparse_pack.pack_id')
          .limit(limit)
          .execute();
        const gone = noted.filter((row) => row.id === null).map((row) => row.pack_id);
        await forgetSparsePacks(gone);
        const sparse: SparsePack[] = [];
        for (const { id, key, size } of noted) {
          if (id === null || key === null || size === null) continue;
          sparse.push({ id, key, size, live: await liveRanges(db, id) });
        }
        const last = noted.at(-1);
        if (last === undefined || sparse.length > 0) return sparse;
        from = last.pack_id;
      }
    },

    forgetSparsePacks,

    commitRepack: ({ lease, source, pack, frames }) =>
      database.transaction((tx) => {
        const moves = movesOf(frames);
        return replacePacks(tx, now, { lease, pack, sources: [source] }, (segments) =>
          movedSegments(segments, source, moves),
        );
      }),

    moveChunks: (pack, chunks) =>
      database.transaction(async (tx) => {
        const row = await tx
          .selectFrom('pack')
          .select('id')
          .where('id', '=', pack)
          .where('lost', '=', 0)
          .forShare()
          .executeTakeFirst();
        // Where the rows point to a condemned pack, which the source is, they are moved.
        if (row !== undefined) await writeChunks(tx, chunks, pack);
      }),
  };
}

async function liveRanges(db: DatabaseHandle['db'], pack: number): Promise<SparsePack['live']> {
  const rows = await db
    .selectFrom('nar_pack')
    .innerJoin('nar', 'nar.id', 'nar_pack.nar_id')
    .select('nar.segments')
    .where('nar_pack.pack_id', '=', pack)
    .where('nar.damaged', '=', 0)
    .execute();
  const segments = rows
    .flatMap((row) => decodeSegments(row.segments))
    .filter((segment) => segment.pack === pack)
    .toSorted((a, b) => a.offset - b.offset);
  const live: { offset: number; length: number }[] = [];
  for (const { offset, length } of segments) {
    const last = live.at(-1);
    const lastEnd = last === undefined ? -1 : last.offset + last.length;
    if (last === undefined || offset > lastEnd) live.push({ offset, length });
    else last.length = Math.max(lastEnd, offset + length) - last.offset;
  }
  return live;
}

/** Where the copied frames begin and end, before and after. */
interface Moves {
  readonly starts: ReadonlyMap<number, number>;
  readonly ends: ReadonlyMap<number, number>;
}

function movesOf(frames: Repacking['frames']): Moves {
  return {
    starts: new Map(frames.map((frame) => [frame.offset, frame.newOffset])),
    ends: new Map(
      frames.map(({ offset, length, newOffset }) => [offset + length, newOffset + length]),
    ),
  };
}

/**
 * The NAR's segments with those of `source` at their new offsets, as those of NEW_PACK.
 * Undefined when one of them holds a frame that was not copied.
 */
function movedSegments(
  segments: readonly Segment[],
  source: number,
  { starts, ends }: Moves,
): readonly Segment[] | undefined {
  const list = new SegmentList();
  for (const segment of segments) {
    if (segment.pack !== source) {
      list.add(segment);
      continue;
    }
    const start = starts.get(segment.offset);
    const end = ends.get(segment.offset + segment.length);
    // As long as before: nothing between the first and the last frame is missing.
    if (start === undefined || end !== start + segment.length) return undefined;
    list.add({ ...segment, pack: NEW_PACK, offset: start });
  }
  return list.segments;
}
