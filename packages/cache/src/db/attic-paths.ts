import type { Transaction } from 'kysely';
import { encodeSegments } from '@flywheel/chunking';
import type { FoundNar } from './rebuild-rows.ts';
import { batches, bufferOf, insertRuns, LIST_LIMIT, padded } from './rows.ts';
import type { Schema } from './schema.ts';
import type { SnapshotObject } from './snapshot-rows.ts';
import type { Now } from './time.ts';

/** A path of Attic and the cache of ours that it goes to. */
export interface AtticPath extends SnapshotObject {
  readonly cacheId: number;
}

/** Writes NARs, all different, whose packs are held; damaged ones are healed, others stay. */
export async function putNars(
  tx: Transaction<Schema>,
  nars: readonly FoundNar[],
  now: Now,
): Promise<void> {
  const ids = new Map<string, number>();
  // By hash, as all who write several.
  const sorted = nars.toSorted((a, b) => a.hash.compare(b.hash));
  for (const batch of insertRuns(sorted)) {
    const rows = await tx
      .insertInto('nar')
      .values(batch.map((nar) => ({ hash: nar.hash, ...narValues(nar, now) })))
      .onConflict((conflict) => conflict.column('hash').doNothing())
      .returning(['id', 'hash'])
      .execute();
    for (const { id, hash } of rows) ids.set(bufferOf(hash).toString('hex'), id);
  }
  const places: { readonly nar_id: number; readonly pack_id: number }[] = [];
  for (const nar of sorted) {
    const id = ids.get(nar.hash.toString('hex')) ?? (await healNar(tx, nar, now));
    if (id === undefined) continue;
    const packs = new Set(nar.segments.map(({ pack }) => pack));
    for (const pack of packs) places.push({ nar_id: id, pack_id: pack });
  }
  for (const batch of insertRuns(places)) {
    await tx.insertInto('nar_pack').values(batch).execute();
  }
}

function narValues({ size, fileSize, segments }: FoundNar, now: Now) {
  return {
    size,
    file_size: fileSize,
    segments: encodeSegments(segments),
    damaged: 0,
    created_at: now(),
  };
}

/** The same row, so that every path that named it has its bytes again. */
async function healNar(
  tx: Transaction<Schema>,
  nar: FoundNar,
  now: Now,
): Promise<number | undefined> {
  const id = await damagedNar(tx, nar.hash);
  if (id === undefined) return undefined;
  await tx.deleteFrom('nar_pack').where('nar_id', '=', id).execute();
  await tx.deleteFrom('listing').where('nar_id', '=', id).execute();
  await tx.updateTable('nar').set(narValues(nar, now)).where('id', '=', id).execute();
  return id;
}

/** Locked, to be healed; undefined when it is intact. */
async function damagedNar(tx: Transaction<Schema>, hash: Buffer): Promise<number | undefined> {
  const row = await tx
    .selectFrom('nar')
    .select(['id', 'damaged'])
    .where('hash', '=', hash)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row?.damaged === 1 ? row.id : undefined;
}

/** Writes those of the paths whose NARs are there; what is there already stays. */
export async function putPaths(
  tx: Transaction<Schema>,
  paths: readonly AtticPath[],
): Promise<void> {
  const ids = new Map<string, number>();
  for (const batch of batches(paths, LIST_LIMIT)) {
    const rows = await tx
      .selectFrom('nar')
      .select(['id', 'hash'])
      .where('hash', 'in', padded(batch.map(({ narHash }) => narHash)))
      .where('damaged', '=', 0)
      .orderBy('id')
      // Not removed before the paths are there to keep them.
      .forKeyShare()
      .execute();
    for (const { id, hash } of rows) ids.set(bufferOf(hash).toString('hex'), id);
  }
  const rows = paths.flatMap((path) => {
    const narId = ids.get(path.narHash.toString('hex'));
    return narId === undefined ? [] : [objectRow(path, narId)];
  });
  for (const batch of insertRuns(rows)) {
    await tx
      .insertInto('object')
      .values(batch)
      .onConflict((conflict) => conflict.columns(['cache_id', 'store_path_hash']).doNothing())
      .execute();
  }
}

function objectRow(path: AtticPath, narId: number) {
  return {
    cache_id: path.cacheId,
    store_path_hash: path.storePathHash,
    store_path: path.storePath,
    nar_id: narId,
    references: JSON.stringify(path.references),
    deriver: path.deriver,
    system: path.system,
    sigs: JSON.stringify(path.sigs),
    ca: path.ca,
    created_at: path.createdAt,
    last_used_at: path.lastUsedAt,
    created_by: path.createdBy,
  };
}
