import { sql } from 'kysely';
import type { DatabaseHandle } from './database.ts';
import { bufferOf } from './rows.ts';

/** A store path as a snapshot keeps it. Times are milliseconds since the epoch. */
export interface SnapshotObject {
  readonly storePathHash: string;
  readonly storePath: string;
  readonly narHash: Buffer;
  readonly references: readonly string[];
  readonly deriver: string | null;
  readonly system: string | null;
  readonly sigs: readonly string[];
  readonly ca: string | null;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly createdBy: string | null;
}

export interface SnapshotPin {
  readonly name: string;
  readonly keepRevisions: number;
  readonly keepSeconds: number | null;
  readonly latest: number;
  readonly revisions: readonly {
    readonly storePathHash: string;
    readonly storePath: string;
    readonly revision: number;
    readonly createdAt: number;
    readonly createdBy: string | null;
  }[];
}

/** What packs do not say of themselves. */
export interface SnapshotMetadata {
  /** Up to `limit` paths of a cache in the order of their hashes, after `after`; no damaged ones. */
  snapshotObjects(
    cacheId: number,
    after: string,
    limit: number,
  ): Promise<readonly SnapshotObject[]>;
  snapshotPins(cacheId: number): Promise<readonly SnapshotPin[]>;
  /** Differs when paths or pins do: a cheap look. */
  snapshotMark(): Promise<string>;
}

export function snapshotQueries(database: DatabaseHandle): SnapshotMetadata {
  const { db } = database;
  return {
    async snapshotObjects(cacheId, after, limit) {
      const rows = await db
        .selectFrom('object')
        .innerJoin('nar', 'nar.id', 'object.nar_id')
        .selectAll('object')
        .select('nar.hash')
        .where('object.cache_id', '=', cacheId)
        .where('object.store_path_hash', '>', after)
        .where('nar.damaged', '=', 0)
        .orderBy('object.store_path_hash')
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        storePathHash: row.store_path_hash,
        storePath: row.store_path,
        narHash: bufferOf(row.hash),
        references: JSON.parse(row.references) as string[],
        deriver: row.deriver,
        system: row.system,
        sigs: JSON.parse(row.sigs) as string[],
        ca: row.ca,
        createdAt: row.created_at,
        lastUsedAt: row.last_used_at,
        createdBy: row.created_by,
      }));
    },

    async snapshotPins(cacheId) {
      const pins = await db
        .selectFrom('pin')
        .selectAll()
        .where('cache_id', '=', cacheId)
        .orderBy('name')
        .execute();
      const revisions = await db
        .selectFrom('pin_revision')
        .innerJoin('pin', 'pin.id', 'pin_revision.pin_id')
        .selectAll('pin_revision')
        .where('pin.cache_id', '=', cacheId)
        .orderBy('pin_revision.revision')
        .execute();
      return pins.map((pin) => ({
        name: pin.name,
        keepRevisions: pin.keep_revisions,
        keepSeconds: pin.keep_seconds,
        latest: pin.latest,
        revisions: revisions
          .filter((revision) => revision.pin_id === pin.id)
          .map((revision) => ({
            storePathHash: revision.store_path_hash,
            storePath: revision.store_path,
            revision: revision.revision,
            createdAt: revision.created_at,
            createdBy: revision.created_by,
          })),
      }));
    },

    async snapshotMark() {
      const { rows } = await sql<Record<string, number>>`select
        (select count(*) from object) as objects,
        (select coalesce(max(created_at), 0) from object) as newest,
        (select count(*) from pin_revision) as revisions,
        (select coalesce(max(created_at), 0) from pin_revision) as "newestRevision"`.execute(db);
      return JSON.stringify(rows);
    },
  };
}
