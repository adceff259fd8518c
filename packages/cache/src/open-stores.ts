import type { Clock } from '@flywheel/base';
import { withAtticObjects } from './blobs/attic-blobs.ts';
import type { Blobs } from './blobs/blobs.ts';
import { openFolderBlobs } from './blobs/folder.ts';
import type { S3Blobs } from './blobs/s3.ts';
import type { S3Location } from './blobs/s3-location.ts';
import { dataDirectory, lockDataDirectory } from './data-directory.ts';
import type { DatabaseHandle } from './db/database.ts';
import type { Metadata } from './db/metadata.ts';
import { openPostgres } from './db/postgres.ts';
import { createSqlMetadata } from './db/sql-metadata.ts';
import { openSqlite } from './db/sqlite.ts';
import { prepareSchema, requireWhole, type ServerRole } from './server-role.ts';
import { Threads } from './threads/threads.ts';

/** Where a cache keeps what it has. */
export interface StoreOptions {
  /** Keys, and what has no other place: the database, packs. Created where missing. */
  readonly dataDir: string;
  /** `postgresql://…`, to share with other replicas; without it, SQLite in the data directory. */
  readonly database?: string | undefined;
  /** A bucket for the packs; without it, they are in the data directory. */
  readonly s3?: S3Location | undefined;
  /** What this process does of the whole; default everything. */
  readonly role?: ServerRole | undefined;
}

export interface Stores extends AsyncDisposable {
  readonly database: DatabaseHandle;
  readonly metadata: Metadata;
  readonly blobs: Blobs;
  /** The same blobs, when they are in S3. */
  readonly s3: S3Blobs | undefined;
  /** Whether no other process can have this database open: SQLite, under a lock. */
  readonly soleOwner: boolean;
  /** For what would keep this one from serving. */
  readonly threads: Threads;
}

/**
 * Opens the database, with its schema brought up to date, and the blobs. Throws with a hint when the
 * data directory is in use, the database is damaged, newer, or does not answer, or the bucket cannot
 * be used.
 */
export async function openStores(options: StoreOptions, clock: Clock): Promise<Stores> {
  const directory = dataDirectory(options.dataDir);
  await using cleanup = new AsyncDisposableStack();
  const { role = 'all' } = options;
  const soleOwner = options.database === undefined;
  if (soleOwner) requireWhole(role);
  if (soleOwner) cleanup.defer(await lockDataDirectory(directory));
  const threads = cleanup.use(new Threads());
  const database = soleOwner
    ? openSqlite(directory.database, threads)
    : await openPostgres(options.database);
  const metadata = createSqlMetadata(database, clock);
  cleanup.defer(() => metadata.close());
  await prepareSchema(database, role, clock);
  const s3 = options.s3 && (await openS3(options.s3));
  if (s3 !== undefined) cleanup.defer(() => s3.close());
  const packs = s3 ?? (await openFolderBlobs(options.dataDir));
  const blobs = cleanup.use(withAtticObjects(packs, () => metadata.atticPlaces()));
  const opened = cleanup.move();
  return {
    database,
    metadata,
    blobs,
    s3,
    soleOwner,
    threads,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Loaded by those who use it: see `connectS3`. */
async function openS3(location: S3Location): Promise<S3Blobs> {
  return (await import('./blobs/s3.ts')).openS3Blobs(location);
}
