import type { Transaction } from 'kysely';
import type { DatabaseHandle } from './database.ts';
import type { ChunkLocation } from './metadata.ts';
import { narValues, writeNarPacks, type PlacedNar } from './nar-rows.ts';
import { insertRuns } from './rows.ts';
import type { Schema } from './schema.ts';
import type { SnapshotObject, SnapshotPin } from './snapshot-rows.ts';
import { writeChunks } from './write-chunks.ts';

/** A NAR as its pack describes it. */
export interface FoundNar extends PlacedNar {
  readonly hash: Buffer;
}

/** Writes rows that were lost. Each may be written again: what is there already stays as it is. */
export interface RebuildRows {
  /** The pack's row, new or not; undefined for one that is known to be damaged. */
  addPack(
    pack: { readonly key: string; readonly size: number; readonly createdAt: number },
    chunks: readonly ChunkLocation[],
  ): Promise<number | undefined>;
  /** `own` is the pack that describes it. */
  addNar(own: number, nar: FoundNar, createdAt: number): Promise<void>;
  /** False when there is no such NAR. */
  addObject(cacheId: number, object: SnapshotObject): Promise<boolean>;
  addPin(cacheId: number, pin: SnapshotPin): Promise<void>;
}

export function rebuildRows(database: DatabaseHandle): RebuildRows {
  return {
    addPack: ({ key, size, createdAt }, chunks) =>
      database.transaction(async (tx) => {
        const known = await tx
          .selectFrom('pack')
          .select(['id', 'lost'])
          .where('key', '=', key)
          .executeTakeFirst();
        if (known !== undefined) return known.lost === 0 ? known.id : undefined;
        const { id } = await tx
          .insertInto('pack')
          .values({ key, size, condemned_at: null, created_at: createdAt })
          .returning('id')
          .executeTakeFirstOrThrow();
        await writeChunks(tx, chunks, id);
        return id;
      }),

    addNar: (own, nar, createdAt) =>
      database.transaction(async (tx) => {
        const row = await tx
          .insertInto('nar')
          .values({ hash: nar.hash, ...narValues(nar, createdAt) })
          .onConflict((conflict) => conflict.column('hash').doNothing())
          .returning('id')
          .executeTakeFirst();
        if (row === undefined) return;
        const packs = [...new Set([own, ...nar.segments.map(({ pack }) => pack)])];
        await writeNarPacks(
          tx,
          packs.map((pack) => ({ nar_id: row.id, pack_id: pack })),
        );
      }),

    addObject: (cacheId, object) =>
      database.transaction(async (tx) => {
        const nar = await tx
          .selectFrom('nar')
          .select('id')
          .where('hash', '=', object.narHash)
          .executeTakeFirst();
        if (nar === undefined) return false;
        await insertObjects(tx, [objectRow(cacheId, nar.id, object)]);
        return true;
      }),

    addPin: (cacheId, pin) =>
      database.transaction(async (tx) => {
        const row = await tx
          .insertInto('pin')
          .values({
            cache_id: cacheId,
            name: pin.name,
            keep_revisions: pin.keepRevisions,
            keep_seconds: pin.keepSeconds,
            latest: pin.latest,
          })
          .onConflict((conflict) => conflict.columns(['cache_id', 'name']).doNothing())
          .returning('id')
          .executeTakeFirst();
        if (row === undefined) return;
        for (const revision of pin.revisions) {
          await tx
            .insertInto('pin_revision')
            .values({
              pin_id: row.id,
              store_path_hash: revision.storePathHash,
              store_path: revision.storePath,
              revision: revision.revision,
              created_at: revision.createdAt,
              created_by: revision.createdBy,
            })
            .execute();
        }
      }),
  };
}

/** The row of a path as a snapshot knows it. */
export function objectRow(cacheId: number, narId: number, object: SnapshotObject) {
  return {
    cache_id: cacheId,
    store_path_hash: object.storePathHash,
    store_path: object.storePath,
    nar_id: narId,
    references: JSON.stringify(object.references),
    deriver: object.deriver,
    system: object.system,
    sigs: JSON.stringify(object.sigs),
    ca: object.ca,
    created_at: object.createdAt,
    last_used_at: object.lastUsedAt,
    created_by: object.createdBy,
  };
}

/** Writes paths; what is there already stays as it is. */
export async function insertObjects(
  tx: Transaction<Schema>,
  rows: readonly ReturnType<typeof objectRow>[],
): Promise<void> {
  for (const batch of insertRuns(rows)) {
    await tx
      .insertInto('object')
      .values(batch)
      .onConflict((conflict) => conflict.columns(['cache_id', 'store_path_hash']).doNothing())
      .execute();
  }
}
