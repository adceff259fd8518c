import { open } from 'node:fs/promises';
import { sql, type Kysely } from 'kysely';
import { FlywheelError, messageOf, toFlywheelError } from '@flywheel/base';
import { openPostgres } from '../db/postgres.ts';
import { openSqliteToRead } from '../db/sqlite.ts';
import type { AtticTables } from './attic-tables.ts';

/** The database of Attic's server, opened for nothing but reading. */
export interface AtticDatabase extends AsyncDisposable {
  /** Those that are not deleted. */
  caches(): Promise<readonly CacheRow[]>;
  /** How many rows of each there are, to tell how far the work is. */
  counts(): Promise<{ readonly chunks: number; readonly paths: number }>;
  /** Up to `limit` chunks with a larger id, in any state. */
  chunks(after: number, limit: number): Promise<readonly ChunkRow[]>;
  /** Up to `limit` paths with a larger id in caches that are not deleted, each with its NAR. */
  paths(after: number, limit: number): Promise<readonly PathRow[]>;
  /** What these NARs consist of, NAR by NAR and in order. */
  parts(narIds: readonly number[]): Promise<readonly PartRow[]>;
}

export type CacheRow = Awaited<ReturnType<typeof cachesIn>>[number];
export type ChunkRow = Awaited<ReturnType<typeof chunksIn>>[number];
export type PathRow = Awaited<ReturnType<typeof pathsIn>>[number];
export type PartRow = Awaited<ReturnType<typeof partsIn>>[number];

const SQLITE_MAGIC = 'SQLite format 3\0';
/** A URL is shorter. */
const START_BYTES = 4096;

/**
 * Opens a SQLite file, or the PostgreSQL database whose URL is in the file: a URL holds a password
 * and does not belong on a command line. Throws `invalid-input` for anything else, and for a database
 * of something else.
 */
export async function openAtticDatabase(file: string): Promise<AtticDatabase> {
  const start = await readStart(file);
  const text = start.trim();
  const isUrl = /^postgres(?:ql)?:\/\//.test(text);
  if (!isUrl && !start.startsWith(SQLITE_MAGIC)) {
    throw new FlywheelError('invalid-input', `${file} is no database of Attic`, {
      details: {
        hint: 'name the SQLite file of atticd, or a file with the URL postgresql://…; `[database] url` in its server.toml says which',
      },
    });
  }
  const opened = isUrl ? (await openPostgres(text, { readOnly: true })).db : openSqliteToRead(file);
  const db = opened as unknown as Kysely<AtticTables>;
  try {
    await requireTables(db, isUrl ? 'the PostgreSQL database' : file);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return {
    caches: () => cachesIn(db),
    counts: () => countsIn(db),
    chunks: (after, limit) => chunksIn(db, after, limit),
    paths: (after, limit) => pathsIn(db, after, limit),
    parts: (narIds) => partsIn(db, narIds),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}

async function readStart(file: string): Promise<string> {
  try {
    await using handle = await open(file);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(START_BYTES));
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    throw toFlywheelError(error, `read the database of Attic ${file}`);
  }
}

async function requireTables(db: Kysely<AtticTables>, name: string): Promise<void> {
  try {
    await partsIn(db, [0]);
    await pathsIn(db, 0, 1);
  } catch (cause) {
    throw new FlywheelError(
      'invalid-input',
      `${name} is not the database of a current atticd: ${messageOf(cause)}`,
      {
        cause,
        details: { hint: 'start the newest atticd on it once, which brings it up to date' },
      },
    );
  }
}

function cachesIn(db: Kysely<AtticTables>) {
  return db
    .selectFrom('cache')
    .select(['id', 'name', 'keypair', 'is_public', 'store_dir', 'priority'])
    .select(['upstream_cache_key_names', 'retention_period'])
    .where('deleted_at', 'is', null)
    .orderBy('name')
    .execute();
}

async function countsIn(db: Kysely<AtticTables>) {
  const { rows } = await sql<{ chunks: number; paths: number }>`select
    (select count(*) from chunk) as chunks, (select count(*) from object) as paths`.execute(db);
  return rows[0] ?? { chunks: 0, paths: 0 };
}

function chunksIn(db: Kysely<AtticTables>, after: number, limit: number) {
  return db
    .selectFrom('chunk')
    .select(['id', 'state', 'chunk_hash', 'chunk_size', 'file_size', 'compression'])
    .select(['remote_file', 'created_at'])
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
}

function pathsIn(db: Kysely<AtticTables>, after: number, limit: number) {
  return db
    .selectFrom('object')
    .innerJoin('cache', 'cache.id', 'object.cache_id')
    .innerJoin('nar', 'nar.id', 'object.nar_id')
    .select(['object.id', 'object.store_path_hash', 'object.store_path', 'object.references'])
    .select(['object.system', 'object.deriver', 'object.sigs', 'object.ca', 'object.created_at'])
    .select(['object.last_accessed_at', 'object.created_by', 'object.nar_id'])
    .select(['cache.name as cache', 'nar.state', 'nar.nar_hash', 'nar.nar_size'])
    .select(['nar.compression', 'nar.num_chunks'])
    .where('object.id', '>', after)
    .where('cache.deleted_at', 'is', null)
    .orderBy('object.id')
    .limit(limit)
    .execute();
}

function partsIn(db: Kysely<AtticTables>, narIds: readonly number[]) {
  return db
    .selectFrom('chunkref')
    .leftJoin('chunk', 'chunk.id', 'chunkref.chunk_id')
    .select(['chunkref.nar_id', 'chunkref.seq', 'chunk.state', 'chunk.chunk_size'])
    .select(['chunk.file_size', 'chunk.compression', 'chunk.remote_file'])
    .where('chunkref.nar_id', 'in', narIds)
    .orderBy('chunkref.nar_id')
    .orderBy('chunkref.seq')
    .execute();
}
