import { decodeSegments, encodeSegments } from '@flywheel/chunking';
import type { DatabaseHandle } from './database.ts';
import type { ChunkLocation, Nar, Pack } from './metadata.ts';
import { holdsIntactNar, removeChunks } from './reclaim-rows.ts';
import { batches, bufferOf, LIST_LIMIT, narOf, padded } from './rows.ts';
import type { Now } from './time.ts';

/** Bytes `[start, end)` of a pack. */
export interface PackRange {
  readonly start: number;
  readonly end: number;
}

export interface Quarantine {
  /** NARs that were intact until now. */
  readonly nars: number;
  /** False when all of it was known before, or the pack was about to go. */
  readonly isNews: boolean;
}

/** The rows behind the scrub. */
export interface RepairMetadata {
  /** Up to `limit` packs with a larger id on which something relies. */
  packsToCheck(after: number, limit: number): Promise<readonly Pack[]>;
  /** Chunks that uploads find in this pack. */
  chunksOfPack(packId: number): Promise<readonly ChunkLocation[]>;
  /**
   * Part of a pack is damaged: NARs that use any of it become absent. The others stay, but nothing
   * refers to the pack any more: a disk or a bucket that has lost some of it may lose the rest.
   */
  quarantinePack(packId: number, damaged: readonly PackRange[]): Promise<Quarantine>;
  /** Up to `limit` NARs with a larger id that are not known to be damaged. */
  intactNars(after: number, limit: number): Promise<readonly Nar[]>;
  /** The bytes at these segments are not this NAR: it becomes absent, unless it lies elsewhere now. */
  markNarDamaged(nar: Nar): Promise<boolean>;
  /** Those of the leases that are alive. */
  liveLeases(leases: readonly string[]): Promise<ReadonlySet<string>>;
}

export function repairQueries(database: DatabaseHandle, now: Now): RepairMetadata {
  const { db } = database;
  return {
    packsToCheck: (after, limit) =>
      db
        .selectFrom('pack')
        .select(['pack.id', 'pack.key', 'pack.size'])
        .where('pack.id', '>', after)
        .where((eb) =>
          eb.or([
            eb('pack.lost', '=', 0),
            // Damaged, and some of it is still in use.
            holdsIntactNar(eb),
          ]),
        )
        .orderBy('pack.id')
        .limit(limit)
        .execute(),

    async chunksOfPack(packId) {
      const rows = await db
        .selectFrom('chunk')
        .select(['hash', 'offset', 'length', 'size'])
        .where('pack_id', '=', packId)
        .execute();
      return rows.map((row) => ({ ...row, pack: packId, hash: bufferOf(row.hash) }));
    },

    // Locks in the order of commitNar, see markPackDamaged.
    quarantinePack: (packId, damaged) =>
      database.transaction(async (tx) => {
        const pack = await tx
          .selectFrom('pack')
          .select(['id', 'lost'])
          .where('id', '=', packId)
          .forUpdate()
          .executeTakeFirst();
        if (pack === undefined) return { nars: 0, isNews: false };
        await tx.updateTable('pack').set({ lost: 1 }).where('id', '=', packId).execute();
        const rows = await tx
          .selectFrom('nar')
          .select(['id', 'segments'])
          .where(
            'id',
            'in',
            tx.selectFrom('nar_pack').select('nar_id').where('pack_id', '=', packId),
          )
          .where('damaged', '=', 0)
          .orderBy('id')
          .forNoKeyUpdate()
          .execute();
        const hit = rows.filter(({ segments }) => touches(segments, packId, damaged));
        for (const batch of batches(hit, LIST_LIMIT)) {
          const ids = padded(batch.map(({ id }) => id));
          await tx.updateTable('nar').set({ damaged: 1 }).where('id', 'in', ids).execute();
        }
        await removeChunks(tx, [packId]);
        return { nars: hit.length, isNews: hit.length > 0 || pack.lost === 0 };
      }),

    async intactNars(after, limit) {
      const rows = await db
        .selectFrom('nar')
        .selectAll()
        .where('id', '>', after)
        .where('damaged', '=', 0)
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(narOf);
    },

    async markNarDamaged({ id, segments }) {
      const { numUpdatedRows } = await db
        .updateTable('nar')
        .set({ damaged: 1 })
        .where('id', '=', id)
        .where('damaged', '=', 0)
        .where('segments', '=', encodeSegments(segments))
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },

    async liveLeases(leases) {
      const live = new Set<string>();
      for (const batch of batches(leases, LIST_LIMIT)) {
        const rows = await db
          .selectFrom('lease')
          .select('id')
          .where('id', 'in', padded(batch))
          .where('dead', '=', 0)
          .where('expires_at', '>', now())
          .execute();
        for (const row of rows) live.add(row.id);
      }
      return live;
    },
  };
}

function touches(segments: string, packId: number, damaged: readonly PackRange[]): boolean {
  return decodeSegments(segments).some(
    ({ pack, offset, length }) =>
      pack === packId && damaged.some(({ start, end }) => offset < end && start < offset + length),
  );
}
