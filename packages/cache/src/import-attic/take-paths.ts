import { isFlywheelError } from '@flywheel/base';
import { SegmentList, totalLength } from '@flywheel/chunking';
import { atticKey } from '../blobs/attic-place.ts';
import type { AtticPath } from '../db/attic-paths.ts';
import type { KnownPack } from '../db/attic-rows.ts';
import type { SnapshotObject } from '../db/snapshot-rows.ts';
import type { FoundNar } from '../db/rebuild-rows.ts';
import type { PartRow, PathRow } from './attic-database.ts';
import { copyNar } from './copy-nar.ts';
import { judgeNar, type Judgement, type NarPart } from './judge-nar.ts';
import { readPath } from './read-path.ts';
import type { Ours, Takeover } from './takeover.ts';

/** Paths that are looked at together. */
const BATCH = 256;
/** Chunks of these, beyond which there are fewer of them; one NAR may have more by itself. */
const BATCH_CHUNKS = 8192;
/** Packs that are found damaged while their paths are written. */
const ATTEMPTS = 3;

/** A path that is to be taken over. */
interface Candidate {
  readonly row: PathRow;
  readonly path: SnapshotObject;
}

/** Takes over the paths whose NARs are whole. The objects are known by then. */
export async function takePaths(takeover: Takeover, of: number): Promise<void> {
  const { attic, signal, report } = takeover;
  const storeDirs = new Map((await attic.caches()).map((row) => [row.name, row.store_dir]));
  const step = 'taking paths';
  let done = 0;
  for (let after = 0; ;) {
    const rows = await attic.paths(after, BATCH);
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.id;
    for (const some of boundedBatches(rows)) {
      signal.throwIfAborted();
      report({ step, done, of });
      await takeBatch(takeover, readable(takeover, some, storeDirs));
      done += some.length;
    }
  }
  report({ step, done: of, of });
}

function* boundedBatches(rows: readonly PathRow[]): Generator<readonly PathRow[]> {
  let some: PathRow[] = [];
  let chunks = 0;
  for (const row of rows) {
    if (some.length > 0 && chunks + row.num_chunks > BATCH_CHUNKS) {
      yield some;
      some = [];
      chunks = 0;
    }
    some.push(row);
    chunks += row.num_chunks;
  }
  yield some;
}

function readable(
  takeover: Takeover,
  rows: readonly PathRow[],
  storeDirs: ReadonlyMap<string, string>,
): readonly Candidate[] {
  return rows.flatMap((row) => {
    // A cache that has been made since the takeover began comes with the next one.
    const storeDir = storeDirs.get(row.cache);
    if (storeDir === undefined) return [];
    const read = readPath(row, storeDir);
    if ('path' in read) return [{ row, path: read.path }];
    leaveOut(takeover, row, read.reason);
    return [];
  });
}

function leaveOut({ tally }: Takeover, row: PathRow, reason: string): void {
  tally.leftOut.push({ cache: row.cache, storePath: row.store_path, reason });
}

async function takeBatch(takeover: Takeover, candidates: readonly Candidate[]): Promise<void> {
  const { ours, tally } = takeover;
  if (ours === undefined) {
    for (const { row, judgement } of await judge(takeover, candidates)) {
      if ('reason' in judgement) leaveOut(takeover, row, judgement.reason);
      else if (judgement.way === 'copy') tally.copiedPaths += 1;
      else tally.newPaths += 1;
    }
    return;
  }
  const wanted = await absentPaths(ours, candidates);
  tally.knownPaths += candidates.length - wanted.length;
  if (wanted.length > 0) await takeWanted(takeover, ours, wanted);
}

async function absentPaths(ours: Ours, candidates: readonly Candidate[]) {
  const byCache = Map.groupBy(candidates, ({ row }) => row.cache);
  const wanted: (Candidate & { readonly path: AtticPath })[] = [];
  for (const [name, some] of byCache) {
    const cacheId = ours.caches.get(name)?.id;
    if (cacheId === undefined) continue;
    const hashes = some.map(({ path }) => path.storePathHash);
    const present = await ours.rows.presentPaths(cacheId, hashes);
    for (const { row, path } of some) {
      if (!present.has(path.storePathHash)) wanted.push({ row, path: { ...path, cacheId } });
    }
  }
  return wanted;
}

type Wanted = Awaited<ReturnType<typeof absentPaths>>[number];

async function takeWanted(
  takeover: Takeover,
  ours: Ours,
  wanted: readonly Wanted[],
): Promise<void> {
  const { tally, objects } = takeover;
  const there = await ours.rows.intactNars(wanted.map(({ path }) => path.narHash));
  const known = wanted.filter(({ path }) => there.has(path.narHash.toString('hex')));
  const judged = await judge(
    takeover,
    wanted.filter((each) => !known.includes(each)),
  );
  const taken = await takeInPlace(takeover, ours, known, judged);
  tally.newPaths += taken.size;
  for (const { row, path, judgement } of judged) {
    const hash = path.narHash.toString('hex');
    if ('reason' in judgement) {
      leaveOut(takeover, row, judgement.reason);
    } else if (judgement.way === 'copy') {
      takeover.signal.throwIfAborted();
      // Of several paths with this NAR, the first brings it.
      const isThere = (await ours.rows.intactNars([path.narHash])).has(hash);
      const copy = { path, cache: row.cache, narSize: row.nar_size };
      const fault = isThere
        ? await ours.rows.addPaths([], [path])
        : await copyNar(ours, objects, copy, judgement.parts);
      if (typeof fault === 'string') leaveOut(takeover, row, fault);
      else tally.copiedPaths += 1;
    }
  }
}

interface Judged extends Wanted {
  readonly judgement: Judgement;
}

/** Judges the NARs of paths, whose rows are asked for together. */
async function judge<T extends Candidate>(
  takeover: Takeover,
  candidates: readonly T[],
): Promise<readonly (T & { readonly judgement: Judgement })[]> {
  const ids = [...new Set(candidates.map(({ row }) => row.nar_id))];
  const parts = ids.length === 0 ? [] : await takeover.attic.parts(ids);
  const byNar = Map.groupBy(parts, (part: PartRow) => part.nar_id);
  return candidates.map((candidate) => ({
    ...candidate,
    judgement: judgeNar(takeover, candidate.row, byNar.get(candidate.row.nar_id) ?? []),
  }));
}

/** Returns those that were taken; the others it leaves out. */
async function takeInPlace(
  takeover: Takeover,
  ours: Ours,
  known: readonly Wanted[],
  judged: readonly Judged[],
): Promise<ReadonlySet<Wanted>> {
  for (let attempt = 1; ; attempt += 1) {
    const nars = new Map<string, FoundNar>();
    const taken = new Set(known);
    const without: Judged[] = [];
    const packs = await packsOf(ours, judged);
    for (const each of judged) {
      const { path, row, judgement } = each;
      if ('reason' in judgement || judgement.way === 'copy') continue;
      const nar = locate(ours, judgement.parts, packs);
      if (nar === undefined) {
        without.push(each);
        continue;
      }
      nars.set(path.narHash.toString('hex'), { ...nar, hash: path.narHash, size: row.nar_size });
      taken.add(each);
    }
    try {
      await ours.rows.addPaths(
        [...nars.values()],
        [...taken].map(({ path }) => path),
      );
    } catch (error) {
      if (isFlywheelError(error, 'conflict') && attempt < ATTEMPTS) continue;
      throw error;
    }
    for (const { row } of without) leaveOut(takeover, row, NEW_OR_DAMAGED);
    return taken;
  }
}

const NEW_OR_DAMAGED =
  'an object of it came while this ran, or was found damaged by our server: run this again, or push it';

async function packsOf(ours: Ours, judged: readonly Judged[]) {
  const keys = new Set<string>();
  for (const { judgement } of judged) {
    if ('reason' in judgement || judgement.way === 'copy') continue;
    for (const { name } of judgement.parts) keys.add(atticKey(ours.place, name));
  }
  return ours.rows.findPacks([...keys]);
}

/** Undefined when one of the objects is not known, or known to be damaged. */
function locate(
  ours: Ours,
  parts: readonly NarPart[],
  packs: ReadonlyMap<string, KnownPack>,
): Pick<FoundNar, 'fileSize' | 'segments'> | undefined {
  const list = new SegmentList();
  for (const { name } of parts) {
    const pack = packs.get(atticKey(ours.place, name));
    if (pack === undefined || pack.isLost) return undefined;
    list.add({ pack: pack.id, offset: 0, length: pack.size });
  }
  return { fileSize: totalLength(list.segments), segments: list.segments };
}
