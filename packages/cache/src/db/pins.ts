import { sql, type Transaction } from 'kysely';
import { FlywheelError } from '@flywheel/base';
import type { DatabaseHandle } from './database.ts';
import { padded } from './rows.ts';
import type { Schema } from './schema.ts';
import type { Now } from './time.ts';

/** What a pin keeps: its newest revisions, and those that are younger than a time. */
export interface PinPolicy {
  /** May be 0 when there is a time: then the pin empties itself. */
  readonly keepRevisions: number;
  readonly keepSeconds: number | undefined;
}

export interface NewPin extends PinPolicy {
  readonly cacheId: number;
  readonly name: string;
  readonly storePath: string;
  readonly storePathHash: string;
  readonly createdBy: string | undefined;
}

export interface Pin extends PinPolicy {
  readonly name: string;
  /** Newest first; those that the pin does not keep any more are left out. */
  readonly revisions: readonly PinRevision[];
}

export interface PinRevision {
  readonly revision: number;
  readonly storePath: string;
  readonly storePathHash: string;
  readonly createdAt: number;
  readonly createdBy: string | undefined;
}

/** Names under which paths are kept with their closures, whatever their age and the quota. */
export interface PinMetadata {
  /**
   * Adds a revision, or makes one that is there the newest; revisions that the pin does not keep
   * are dropped. Throws `not-found` when the cache has no such path.
   */
  putPin(pin: NewPin): Promise<Pin>;
  findPin(cacheId: number, name: string): Promise<Pin | undefined>;
  /** By name. */
  listPins(cacheId: number): Promise<readonly Pin[]>;
  /** False when there was none. */
  removePin(cacheId: number, name: string): Promise<boolean>;
  /** The paths that pins of this cache keep now, and the state of the pins this belongs to. */
  pinnedPaths(
    cacheId: number,
  ): Promise<{ readonly hashes: readonly string[]; readonly pinsVersion: number }>;
}

export function pinQueries(database: DatabaseHandle, now: Now): PinMetadata {
  async function readPins(
    db: Transaction<Schema> | DatabaseHandle['db'],
    cacheId: number,
    name?: string,
  ): Promise<readonly Pin[]> {
    const { time } = await db.selectNoFrom(now().as('time')).executeTakeFirstOrThrow();
    const rows = await db
      .selectFrom('pin')
      .innerJoin('pin_revision', 'pin_revision.pin_id', 'pin.id')
      .select(['pin.name', 'pin.keep_revisions', 'pin.keep_seconds', 'pin_revision.revision'])
      .select(['pin_revision.store_path', 'pin_revision.store_path_hash'])
      .select(['pin_revision.created_at', 'pin_revision.created_by'])
      .where('pin.cache_id', '=', cacheId)
      .$if(name !== undefined, (query) => query.where('pin.name', '=', name as string))
      .orderBy('pin.name')
      .orderBy('pin_revision.revision', 'desc')
      .execute();
    const pins: (Pin & { revisions: PinRevision[] })[] = [];
    for (const row of rows) {
      let pin = pins.at(-1);
      if (pin?.name !== row.name) {
        pin = {
          name: row.name,
          keepRevisions: row.keep_revisions,
          keepSeconds: row.keep_seconds ?? undefined,
          revisions: [],
        };
        pins.push(pin);
      }
      const isNewest = pin.revisions.length < pin.keepRevisions;
      const isYoung = row.created_at > time - (row.keep_seconds ?? 0) * 1000;
      if (!isNewest && !isYoung) continue;
      pin.revisions.push({
        revision: row.revision,
        storePath: row.store_path,
        storePathHash: row.store_path_hash,
        createdAt: row.created_at,
        createdBy: row.created_by ?? undefined,
      });
    }
    return pins;
  }

  return {
    putPin: (pin) =>
      database.transaction(async (tx) => {
        // First, see removeExpired: it waits for us, or we for it, and then look.
        await tx
          .updateTable('cache')
          .set({ pins_version: sql<number>`pins_version + 1` })
          .where('id', '=', pin.cacheId)
          .execute();
        await requireObject(tx, pin);
        const { id, latest } = await writePin(tx, pin);
        await writeRevision(tx, now, pin, { id, latest });
        const [written] = await readPins(tx, pin.cacheId, pin.name);
        if (written === undefined) throw new FlywheelError('internal', 'a pin was not written');
        const kept = written.revisions.map((revision) => revision.storePathHash);
        await tx
          .deleteFrom('pin_revision')
          .where('pin_id', '=', id)
          .where('store_path_hash', 'not in', padded(kept))
          .execute();
        return written;
      }),

    findPin: async (cacheId, name) => (await readPins(database.db, cacheId, name))[0],
    listPins: (cacheId) => readPins(database.db, cacheId),

    async removePin(cacheId, name) {
      const { numDeletedRows } = await database.db
        .deleteFrom('pin')
        .where('cache_id', '=', cacheId)
        .where('name', '=', name)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    },

    async pinnedPaths(cacheId) {
      // The version first: a pin that is set in between is seen, or makes removeExpired refuse.
      const cache = await database.db
        .selectFrom('cache')
        .select('pins_version')
        .where('id', '=', cacheId)
        .executeTakeFirst();
      const pins = await readPins(database.db, cacheId);
      return {
        hashes: pins.flatMap((pin) => pin.revisions.map(({ storePathHash }) => storePathHash)),
        pinsVersion: cache?.pins_version ?? -1,
      };
    },
  };
}

async function requireObject(tx: Transaction<Schema>, pin: NewPin): Promise<void> {
  const object = await tx
    .selectFrom('object')
    .innerJoin('nar', 'nar.id', 'object.nar_id')
    .select('object.store_path_hash')
    .where('object.cache_id', '=', pin.cacheId)
    .where('object.store_path_hash', '=', pin.storePathHash)
    .where('nar.damaged', '=', 0)
    .executeTakeFirst();
  if (object !== undefined) return;
  throw new FlywheelError('not-found', `the cache does not have ${pin.storePath}`, {
    details: { hint: 'push the path first, then pin it' },
  });
}

async function writePin(
  tx: Transaction<Schema>,
  pin: NewPin,
): Promise<{ readonly id: number; readonly latest: number }> {
  const policy = { keep_revisions: pin.keepRevisions, keep_seconds: pin.keepSeconds ?? null };
  return tx
    .insertInto('pin')
    .values({ cache_id: pin.cacheId, name: pin.name, latest: 1, ...policy })
    .onConflict((conflict) =>
      conflict
        .columns(['cache_id', 'name'])
        .doUpdateSet({ ...policy, latest: sql<number>`pin.latest + 1` }),
    )
    .returning(['id', 'latest'])
    .executeTakeFirstOrThrow();
}

async function writeRevision(
  tx: Transaction<Schema>,
  now: Now,
  pin: NewPin,
  { id, latest }: { readonly id: number; readonly latest: number },
): Promise<void> {
  const values = {
    store_path: pin.storePath,
    revision: latest,
    created_at: now(),
    created_by: pin.createdBy ?? null,
  };
  await tx
    .insertInto('pin_revision')
    .values({ pin_id: id, store_path_hash: pin.storePathHash, ...values })
    .onConflict((conflict) => conflict.columns(['pin_id', 'store_path_hash']).doUpdateSet(values))
    .execute();
}
