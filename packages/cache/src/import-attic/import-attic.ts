import { readFile } from 'node:fs/promises';
import { FlywheelError, silentLogger, toFlywheelError, type Clock } from '@flywheel/base';
import { keepForeignKey, type KeyFile, type KeyFolder } from '../access/key-folder.ts';
import { parseTokenKey, type TokenAlgorithm } from '../access/token-key.ts';
import { openAtticObjects, type AtticObjects } from '../blobs/attic-objects.ts';
import type { AtticLocation } from '../blobs/attic-place.ts';
import { dataDirectory, ensureTokenKey, prepareDataDirectory } from '../data-directory.ts';
import { atticRows } from '../db/attic-rows.ts';
import { timeOf } from '../db/time.ts';
import { openStores, type StoreOptions } from '../open-stores.ts';
import { openNarStore } from '../store/open-nar-store.ts';
import { openAtticDatabase, type AtticDatabase } from './attic-database.ts';
import { remoteFileOf } from './attic-values.ts';
import { takeCaches } from './take-caches.ts';
import { newTally, type Ours, type Takeover, type TakeoverTally } from './takeover.ts';
import { takeObjects } from './take-objects.ts';
import { takePaths } from './take-paths.ts';
import { verifyTaken, type Verified } from './verify-taken.ts';

export interface ImportAtticOptions extends StoreOptions {
  /** Its SQLite file, or a file with the URL of its PostgreSQL database. */
  readonly atticDatabase: string;
  readonly atticStorage: AtticLocation;
  /** File with the key of its tokens, base64 as in its configuration. */
  readonly atticTokenFile?: string | undefined;
  /** Folder with the keys of our tokens; else the data directory's own. */
  readonly tokenKeys?: string | undefined;
  /** Look, and write nothing. */
  readonly dryRun?: boolean;
  /** How many NARs to read and compare afterwards. */
  readonly verify?: number | 'all' | undefined;
  /** From now on its objects are ours, and go when nothing needs them. */
  readonly finish?: boolean;
  readonly signal: AbortSignal;
  readonly report: Takeover['report'];
}

export interface ImportedAttic extends TakeoverTally {
  readonly dryRun: boolean;
  readonly verified?: Verified;
  /** The key that verifies Attic's tokens from now on. */
  readonly tokenKey?: { readonly kid: string; readonly algorithm: TokenAlgorithm };
  readonly finished: boolean;
}

/**
 * Takes over the caches and paths of Attic's server, whose objects stay where they are. Nothing of
 * Attic's is changed or removed before the takeover is finished. May be run again at any time, also
 * after it was killed: what is there already stays as it is.
 *
 * Throws `invalid-input` for what is no database or storage of Attic, `conflict` when another takeover
 * runs or this one was finished.
 */
export async function importAttic(
  options: ImportAtticOptions,
  clock: Clock,
): Promise<ImportedAttic> {
  await using attic = await openAtticDatabase(options.atticDatabase);
  const key = await readTokenKey(options.atticTokenFile);
  const location = await checkLocation(options.atticStorage, attic);
  const objects = await openAtticObjects(location);
  using _closing = { [Symbol.dispose]: () => objects.close() };
  const parts = { attic, objects, location, options, key };
  return await (options.dryRun === true ? lookOnly(parts) : takeOver(parts, clock));
}

interface Parts {
  readonly attic: AtticDatabase;
  readonly objects: AtticObjects;
  readonly location: AtticLocation;
  readonly options: ImportAtticOptions;
  /** Text of a key that was checked. */
  readonly key: string | undefined;
}

async function lookOnly(parts: Parts): Promise<ImportedAttic> {
  const takeover = newTakeover(parts, undefined);
  const { chunks, paths } = await parts.attic.counts();
  await takeCaches(takeover);
  await takeObjects(takeover, { all: false, of: chunks });
  await takePaths(takeover, paths);
  return { ...takeover.tally, ...tokenKeyOf(parts.key), dryRun: true, finished: false };
}

async function takeOver(parts: Parts, clock: Clock): Promise<ImportedAttic> {
  const { options, attic, location } = parts;
  const directory = dataDirectory(options.dataDir);
  await prepareDataDirectory(directory);
  await using stores = await openStores(options, clock);
  await using store = openNarStore(stores, { clock, logger: silentLogger });
  const rows = atticRows(stores.database, timeOf(stores.database, clock));
  const done = await rows.exclusively(async (): Promise<ImportedAttic> => {
    const finish = options.finish === true;
    const place = await rows.addPlace(location);
    if (place.finishedAt !== undefined && !finish) throw finishedBefore();
    const takeover = newTakeover(parts, { place: place.id, rows, store, caches: new Map() });
    const { chunks, paths } = await attic.counts();
    // An earlier run may have been killed while it let them go; it had taken everything by then.
    if (place.finishedAt === undefined) {
      await takeCaches(takeover);
      await takeObjects(takeover, { all: finish, of: chunks });
      await takePaths(takeover, paths);
    }
    const tokenKey = await takeTokenKey(parts);
    const ours = takeover.ours as Ours;
    const verified =
      options.verify === undefined
        ? {}
        : { verified: await verifyTaken(takeover, ours, options.verify) };
    if (finish) await finishTakeover(takeover, ours);
    await stores.metadata.refreshStatistics();
    return { ...takeover.tally, ...tokenKey, ...verified, dryRun: false, finished: finish };
  });
  if (done !== undefined) return done;
  throw new FlywheelError('conflict', 'another process is taking over a server of Attic');
}

function newTakeover({ attic, objects, location, options }: Parts, ours: Ours | undefined) {
  const { signal, report } = options;
  return { attic, objects, location, ours, tally: newTally(), faults: new Map(), signal, report };
}

const RELEASED = 1000;

async function finishTakeover({ signal }: Takeover, { place, rows }: Ours): Promise<void> {
  await rows.finish(place);
  for (let after: number | undefined = 0; after !== undefined;) {
    signal.throwIfAborted();
    after = await rows.releaseObjects(place, after, RELEASED);
  }
}

/** The location as it will be remembered; what the database says of objects must fit it. */
async function checkLocation(
  location: AtticLocation,
  attic: AtticDatabase,
): Promise<AtticLocation> {
  const [first] = await attic.chunks(0, 1);
  const remote = first && remoteFileOf(first.remote_file);
  if (remote === undefined) return location;
  if (remote.kind !== location.kind) {
    const where = remote.kind === 's3' ? `in the bucket ${remote.bucket}` : 'in a folder';
    throw new FlywheelError('invalid-input', `the database says that the objects are ${where}`, {
      details: { hint: 'name it with --attic-storage: a folder, or s3://BUCKET' },
    });
  }
  if (location.kind === 'folder' || remote.kind === 'folder') return location;
  return { ...location, region: location.region ?? remote.region };
}

async function readTokenKey(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw toFlywheelError(error, `read the key of Attic's tokens`);
  });
  parseTokenKey(text);
  return text.trim();
}

function tokenKeyOf(text: string | undefined): Pick<ImportedAttic, 'tokenKey'> {
  if (text === undefined) return {};
  const { kid, algorithm } = parseTokenKey(text);
  return { tokenKey: { kid, algorithm } };
}

/** It only verifies: new tokens are signed by a key that nobody else has. */
async function takeTokenKey({ options, key }: Parts): Promise<Pick<ImportedAttic, 'tokenKey'>> {
  if (key === undefined) return {};
  const directory = dataDirectory(options.dataDir);
  const folder: KeyFolder =
    options.tokenKeys === undefined ? directory.tokenKeys : { path: options.tokenKeys, prefix: '' };
  if (options.tokenKeys === undefined) await ensureTokenKey(directory);
  const { key: kept }: KeyFile = await keepForeignKey(folder, 'attic', key);
  return { tokenKey: { kid: kept.kid, algorithm: kept.algorithm } };
}

function finishedBefore(): FlywheelError {
  return new FlywheelError('conflict', 'this takeover was finished before', {
    details: {
      hint: 'its objects are removed when nothing needs them: atticd must not run on them any more. What it has taken since comes with a push, or as an upstream cache',
    },
  });
}
