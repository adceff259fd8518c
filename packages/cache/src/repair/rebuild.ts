import { FlywheelError, isFlywheelError, messageOf, type Clock } from '@flywheel/base';
import { generateSecretKey } from '@flywheel/nix';
import { readKeyFolder } from '../access/key-folder.ts';
import type { TokenKey } from '../access/token-key.ts';
import type { BlobEntry } from '../blobs/blobs.ts';
import { dataDirectory, prepareDataDirectory } from '../data-directory.ts';
import type { Cache, ChunkLocation } from '../db/metadata.ts';
import { rebuildRows, type RebuildRows } from '../db/rebuild-rows.ts';
import { openStores, type StoreOptions, type Stores } from '../open-stores.ts';
import { readPackContents, type PackContents } from '../store/pack-frames.ts';
import { chunksIn, locateNar } from './locate-nar.ts';
import { readOrigin, type OriginObject } from './pack-origin.ts';
import { openSealedSecret } from './seal-secret.ts';
import { readSnapshotBlob } from './snapshot-blob.ts';
import { parseSnapshot, type CacheRecord, type SnapshotRecord } from './snapshot-format.ts';

export interface RebuildOptions extends StoreOptions {
  /** Folder with the keys of tokens, which open the keys of caches; else the data directory's own. */
  readonly tokenKeys?: string | undefined;
  /** Add to a database that is not empty; what is in it stays as it is. */
  readonly intoExisting?: boolean;
  readonly signal: AbortSignal;
  readonly report: (progress: { step: string; done: number; of: number }) => void;
}

/** What came back, and what did not. */
export interface Rebuilt {
  /** The snapshot that was used; absent: there was none that is whole. */
  readonly snapshot?: { readonly key: string; readonly createdAt: number };
  /** Newer ones that are damaged. */
  readonly damagedSnapshots: readonly string[];
  readonly packs: number;
  readonly nars: number;
  readonly paths: number;
  readonly caches: readonly string[];
  /** Of these the keys could not be opened: they have new ones. */
  readonly newKeys: readonly string[];
  /** Packs whose index is damaged. */
  readonly damagedPacks: readonly string[];
  /** NARs of which a part lies in no pack. */
  readonly incompleteNars: number;
  /** Paths of the snapshot whose NAR is in no pack. */
  readonly pathsWithoutNar: number;
  /** Packs of `nix copy` since the snapshot: which path they are, nothing says. */
  readonly namelessPacks: number;
}

interface Tally {
  packs: number;
  readonly caches: Map<string, Cache>;
  readonly newKeys: string[];
  readonly damagedPacks: string[];
  incompleteNars: number;
  pathsWithoutNar: number;
  namelessPacks: number;
}

interface Rebuild {
  readonly options: RebuildOptions;
  readonly stores: Stores;
  readonly rows: RebuildRows;
  readonly keys: readonly TokenKey[];
  readonly tally: Tally;
  /** Packs that came after this may hold paths that the snapshot does not name. */
  readonly namedUntil: number;
}

/** Packs whose indexes are read at once: an object store takes tens of milliseconds for each. */
const AT_ONCE = 16;

/** Chunks that are looked up in one statement. */
const LOOKED_UP = 1000;

/** A path whose pack is older than this before the snapshot and that is not in it was removed. */
const OVERLAP_MS = 3600 * 1000;

/**
 * Makes the database anew from packs and the newest snapshot that is whole. No server may run on it.
 * Interrupted, it is run again with `intoExisting`. Throws `already-exists` for a database that holds
 * anything.
 */
export async function rebuildDatabase(options: RebuildOptions, clock: Clock): Promise<Rebuilt> {
  const directory = dataDirectory(options.dataDir);
  await prepareDataDirectory(directory);
  await using stores = await openStores(options, clock);
  const { metadata, database } = stores;
  await requireEmpty(stores, options.intoExisting === true);
  const damagedSnapshots: string[] = [];
  const snapshot = await newestWhole(stores, damagedSnapshots);
  const keyFolder =
    options.tokenKeys === undefined ? directory.tokenKeys : { path: options.tokenKeys, prefix: '' };
  const rebuild: Rebuild = {
    options,
    stores,
    rows: rebuildRows(database),
    keys: await keysIn(keyFolder),
    tally: newTally(await metadata.listCaches()),
    namedUntil: (snapshot?.createdAt ?? Number.NEGATIVE_INFINITY) - OVERLAP_MS,
  };
  const { tally } = rebuild;
  if (snapshot !== undefined) {
    for await (const record of snapshotRecords(stores, snapshot.key)) {
      if (record.type === 'cache') await addCache(rebuild, record);
    }
  }
  await addPacks(rebuild);
  if (snapshot !== undefined) await addNamed(rebuild, snapshot.key);
  await metadata.refreshStatistics();
  const { nars, objects: paths } = await metadata.statistics();
  return {
    ...tally,
    nars,
    paths,
    ...(snapshot === undefined ? {} : { snapshot }),
    damagedSnapshots,
    caches: [...tally.caches.keys()],
  };
}

function newTally(caches: readonly Cache[]): Tally {
  return {
    packs: 0,
    caches: new Map(caches.map((cache) => [cache.name, cache])),
    newKeys: [],
    damagedPacks: [],
    incompleteNars: 0,
    pathsWithoutNar: 0,
    namelessPacks: 0,
  };
}

async function requireEmpty({ metadata }: Stores, intoExisting: boolean): Promise<void> {
  if (intoExisting) return;
  const { caches, objects, nars, packs } = await metadata.statistics();
  if (caches + objects + nars + packs === 0) return;
  throw new FlywheelError(
    'already-exists',
    `the database is not empty: it knows ${caches} caches, ${objects} paths and ${packs} packs`,
    {
      details: {
        hint: 'move it away first, or add to it what it does not know with --into-existing',
      },
    },
  );
}

/** Without keys the paths come back all the same. */
async function keysIn(folder: Parameters<typeof readKeyFolder>[0]): Promise<readonly TokenKey[]> {
  try {
    return (await readKeyFolder(folder)).map(({ key }) => key);
  } catch (error) {
    if (isFlywheelError(error, 'invalid-input')) return [];
    throw error;
  }
}

async function newestWhole(
  { blobs }: Stores,
  damaged: string[],
): Promise<Rebuilt['snapshot'] | undefined> {
  const keys = (await Array.fromAsync(blobs.list('snapshots'))).map(({ key }) => key);
  for (const key of keys.toSorted().reverse()) {
    try {
      let createdAt = 0;
      for await (const record of parseSnapshot(readSnapshotBlob(blobs, key))) {
        if ('format' in record) createdAt = record.created_at;
      }
      return { key, createdAt };
    } catch (error) {
      if (!isFlywheelError(error, 'corrupt')) throw error;
      damaged.push(key);
    }
  }
  return undefined;
}

async function* snapshotRecords({ blobs }: Stores, key: string): AsyncGenerator<SnapshotRecord> {
  for await (const record of parseSnapshot(readSnapshotBlob(blobs, key))) {
    if (!('format' in record)) yield record;
  }
}

async function addCache({ stores, keys, tally }: Rebuild, record: CacheRecord): Promise<void> {
  const { name } = record;
  if (tally.caches.has(name)) return;
  const secretKey = openSealedSecret(keys, name, record.sealed_secret_key);
  if (secretKey === undefined) tally.newKeys.push(name);
  const cache = await stores.metadata.createCache(name, {
    secretKey: secretKey ?? generateSecretKey(name),
    isPublic: record.is_public,
    storeDir: record.store_dir,
    priority: record.priority,
    upstreamCacheKeyNames: record.upstream_cache_key_names,
    retentionSeconds: record.retention_seconds ?? undefined,
    quotaBytes: record.quota_bytes ?? undefined,
  });
  const upstreams = record.upstreams.map(({ url, public_keys: publicKeys }) => ({
    url,
    publicKeys,
  }));
  if (upstreams.length > 0) await stores.metadata.setUpstreams(cache.id, upstreams);
  tally.caches.set(name, cache);
}

/** The cache of a path that only its pack tells of, private until somebody decides otherwise. */
async function cacheFor({ stores, tally }: Rebuild, origin: OriginObject): Promise<Cache> {
  const { cache: name, storeDir } = origin;
  const known = tally.caches.get(name);
  if (known !== undefined) return known;
  const cache = await stores.metadata.createCache(name, {
    secretKey: generateSecretKey(name),
    isPublic: false,
    storeDir,
    priority: 41,
    upstreamCacheKeyNames: [],
    retentionSeconds: undefined,
  });
  tally.caches.set(name, cache);
  tally.newKeys.push(name);
  return cache;
}

async function addPacks(rebuild: Rebuild): Promise<void> {
  const { options, stores, tally } = rebuild;
  const entries = await Array.fromAsync(stores.blobs.list());
  // The chunks that a pack refers to are mostly in older ones, and known when its turn comes.
  entries.sort((a, b) => a.modifiedMs - b.modifiedMs);
  const waiting: BlobEntry[] = [];
  const step = 'reading packs';
  for (let at = 0; at < entries.length; at += AT_ONCE) {
    options.signal.throwIfAborted();
    options.report({ step, done: at, of: entries.length });
    for (const { entry, contents } of await readAll(rebuild, entries.slice(at, at + AT_ONCE))) {
      if (contents === undefined) tally.damagedPacks.push(entry.key);
      else if (!(await addPack(rebuild, entry, contents))) waiting.push(entry);
    }
  }
  options.report({ step, done: entries.length, of: entries.length });
  for (let at = 0; at < waiting.length; at += AT_ONCE) {
    options.signal.throwIfAborted();
    for (const { entry, contents } of await readAll(rebuild, waiting.slice(at, at + AT_ONCE))) {
      const isDone = contents !== undefined && (await addPack(rebuild, entry, contents));
      if (!isDone) tally.incompleteNars += 1;
    }
  }
  tally.packs = entries.length - tally.damagedPacks.length;
}

function readAll(
  { stores: { blobs } }: Rebuild,
  entries: readonly BlobEntry[],
): Promise<readonly { entry: BlobEntry; contents: PackContents | undefined }[]> {
  return Promise.all(
    entries.map(async (entry) => {
      const reader = await blobs.open(entry.key);
      try {
        return { entry, contents: reader && (await readPackContents(reader, entry.key)) };
      } catch (error) {
        if (isFlywheelError(error, 'corrupt')) return { entry, contents: undefined };
        throw new FlywheelError('unavailable', `read ${entry.key}: ${messageOf(error)}`, {
          cause: error,
        });
      } finally {
        await reader?.close();
      }
    }),
  );
}

/** False when its NAR needs a chunk that no pack is known to hold so far. */
async function addPack(
  rebuild: Rebuild,
  { key, size, modifiedMs }: BlobEntry,
  contents: PackContents,
): Promise<boolean> {
  const { stores, rows, tally } = rebuild;
  const createdAt = Math.round(modifiedMs);
  const id = await rows.addPack({ key, size, createdAt }, chunksIn(contents, 0));
  if (id === undefined || contents.index.narSize === 0) return true;
  const foreign: ChunkLocation[] = [];
  for (let at = 0; at < contents.index.foreign.length; at += LOOKED_UP) {
    const some = contents.index.foreign.slice(at, at + LOOKED_UP);
    foreign.push(...(await stores.metadata.findChunks(some.map(({ hash }) => hash))));
  }
  const nar = locateNar(contents, { id, key, size }, foreign);
  if (nar === undefined) return false;
  await rows.addNar(id, nar, createdAt);
  if (createdAt < rebuild.namedUntil) return true;
  const origin = readOrigin(contents.index.origin, nar.hash, createdAt);
  if (origin === undefined) tally.namelessPacks += 1;
  else {
    const cache = await cacheFor(rebuild, origin);
    await rows.addObject(cache.id, origin.object);
  }
  return true;
}

/** What the snapshot names: paths, then the pins that keep them. */
async function addNamed(rebuild: Rebuild, key: string): Promise<void> {
  const { options, stores, rows, tally } = rebuild;
  let done = 0;
  for await (const record of snapshotRecords(stores, key)) {
    options.signal.throwIfAborted();
    const cacheId = record.type === 'cache' ? undefined : tally.caches.get(record.cache)?.id;
    if (record.type === 'cache' || cacheId === undefined) continue;
    if (record.type === 'pin') {
      await rows.addPin(cacheId, {
        name: record.name,
        keepRevisions: record.keep_revisions,
        keepSeconds: record.keep_seconds,
        latest: record.latest,
        revisions: record.revisions.map((revision) => ({
          storePathHash: revision.store_path_hash,
          storePath: revision.store_path,
          revision: revision.revision,
          createdAt: revision.created_at,
          createdBy: revision.created_by,
        })),
      });
      continue;
    }
    const isThere = await rows.addObject(cacheId, {
      storePathHash: record.store_path_hash,
      storePath: record.store_path,
      narHash: Buffer.from(record.nar_hash, 'hex'),
      references: record.references,
      deriver: record.deriver,
      system: record.system,
      sigs: record.sigs,
      ca: record.ca,
      createdAt: record.created_at,
      lastUsedAt: record.last_used_at,
      createdBy: record.created_by,
    });
    if (!isThere) tally.pathsWithoutNar += 1;
    done += 1;
    if (done % 1000 === 0) options.report({ step: 'adding paths', done, of: done });
  }
}
