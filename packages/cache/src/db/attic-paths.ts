import type { Transaction } from 'kysely';
import { healNar, narValues, writeNarPacks } from './nar-rows.ts';
import { insertObjects, objectRow, type FoundNar } from './rebuild-rows.ts';
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
      .values(batch.map((nar) => ({ hash: nar.hash, ...narValues(nar, now()) })))
      .onConflict((conflict) => conflict.column('hash').doNothing())
      .returning(['id', 'hash'])
      .execute();
    for (const { id, hash } of rows) ids.set(bufferOf(hash).toString('hex'), id);
  }
  const places: { readonly nar_id: number; readonly pack_id: number }[] = [];
  for (const nar of sorted) {
    const id = ids.get(nar.hash.toString('hex')) ?? (await healIfDamaged(tx, nar, now));
    if (id === undefined) continue;
    const packs = new Set(nar.segments.map(({ pack }) => pack));
    for (const pack of packs) places.push({ nar_id: id, pack_id: pack });
  }
  await writeNarPacks(tx, places);
}

/** Undefined when it is intact. */
async function healIfDamaged(
  tx: Transaction<Schema>,
  nar: FoundNar,
  now: Now,
): Promise<number | undefined> {
  const id = await damagedNar(tx, nar.hash);
  if (id !== undefined) await healNar(tx, id, narValues(nar, now()));
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
    return narId === undefined ? [] : [objectRow(path.cacheId, narId, path)];
  });
  await insertObjects(tx, rows);
}
