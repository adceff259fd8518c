import { createHash, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { brotliCompressSync, constants, zstdCompressSync } from 'node:zlib';
import { compress as xzCompress } from '@napi-rs/lzma/xz';
import { generateSecretKey } from '@flywheel/nix';

// A database and a storage as a server of Attic leaves them. No atticd can be built where the tests
// run, so its schema, types included, is that of its documented format (commit b7c9056), and not
// taken from one that runs.

/** Where the rows and the objects go. */
export interface AtticTarget {
  readonly dialect: 'sqlite' | 'postgres';
  exec(statement: string): Promise<void>;
  put(name: string, bytes: Buffer): Promise<void>;
  /** What the column `remote_file` says of an object, and the text that makes it unique. */
  remoteFile(name: string): { readonly json: object; readonly id: string };
}

export type AtticCompression = 'zstd' | 'none' | 'xz' | 'br';

export interface TestPath {
  readonly storePath: string;
  readonly hash: string;
  readonly nar: Buffer;
  readonly narHash: Buffer;
}

export interface PushOptions {
  readonly compression?: AtticCompression;
  /** Bytes of a chunk; 0 keeps the NAR in one. */
  readonly chunkBytes?: number;
  readonly references?: readonly string[];
  readonly sigs?: readonly string[];
  readonly deriver?: string;
  readonly createdBy?: string;
  readonly createdAt?: Date;
  readonly lastAccessedAt?: Date;
}

const TABLES = [
  `create table seaql_migrations (version varchar not null primary key, applied_at bigint not null)`,
  `create table cache (
     id integer not null primary key autoincrement, name varchar(50) not null unique,
     keypair varchar not null, is_public boolean not null, store_dir varchar not null,
     priority integer not null, upstream_cache_key_names varchar not null,
     created_at timestamp_with_timezone_text not null,
     deleted_at timestamp_with_timezone_text null, retention_period integer null)`,
  `create table nar (
     id integer not null primary key autoincrement, state char(1) not null,
     nar_hash varchar not null, nar_size bigint not null, compression varchar(10) not null,
     num_chunks integer not null,
     holders_count integer not null default 0,
     created_at timestamp_with_timezone_text not null)`,
  `create index "idx-nar-state-holders" on nar (state, holders_count)`,
  `create table object (
     id integer not null primary key autoincrement,
     cache_id bigint not null references cache (id) on delete cascade,
     nar_id bigint not null references nar (id) on delete cascade,
     store_path_hash varchar(32) not null, store_path varchar not null,
     "references" varchar not null, system varchar null, deriver varchar null,
     sigs varchar not null, ca varchar null, created_at timestamp_with_timezone_text not null,
     last_accessed_at timestamp_with_timezone_text null, created_by varchar null)`,
  `create unique index "idx-object-cache-hash" on object (cache_id, store_path_hash)`,
  `create table chunk (
     id integer not null primary key autoincrement, state char(1) not null,
     chunk_hash varchar not null, chunk_size bigint not null, file_hash varchar null,
     file_size bigint null, compression varchar(10) not null, remote_file varchar not null,
     remote_file_id varchar not null unique, holders_count integer not null default 0,
     created_at timestamp_with_timezone_text not null)`,
  `create index "idx-chunk-chunk-hash" on chunk (chunk_hash)`,
  `create table chunkref (
     id integer not null primary key autoincrement,
     nar_id bigint not null references nar (id) on delete cascade, seq integer not null,
     chunk_id bigint null references chunk (id) on delete set null)`,
  `create index "idx-chunkref-nar-id" on chunkref (nar_id)`,
  `create index "idx-chunkref-chunk-id" on chunkref (chunk_id)`,
];

/** The same tables as Attic makes them on PostgreSQL. */
function postgresText(statement: string): string {
  return statement
    .replaceAll('integer not null primary key autoincrement', 'bigserial not null primary key')
    .replaceAll('timestamp_with_timezone_text', 'timestamp with time zone');
}

interface Chunk {
  readonly id: number;
  readonly name: string;
}

type Value = string | number | boolean | Date | null;

/** Pushes as Attic's server does, except for where it cuts: nobody but itself can tell. */
export class TestAttic {
  readonly #target: AtticTarget;
  readonly #caches = new Map<string, number>();
  readonly #chunks = new Map<string, Chunk>();
  readonly #nars = new Map<string, { readonly id: number; readonly names: readonly string[] }>();
  #rows = 0;

  constructor(target: AtticTarget) {
    this.#target = target;
  }

  async createTables(): Promise<void> {
    const { dialect } = this.#target;
    for (const table of TABLES) {
      await this.#target.exec(dialect === 'postgres' ? postgresText(table) : table);
    }
  }

  exec(statement: string): Promise<void> {
    return this.#target.exec(statement);
  }

  /** Returns the cache's secret key. */
  async addCache(
    name: string,
    settings: {
      readonly isPublic?: boolean;
      readonly retentionSeconds?: number;
      readonly deleted?: boolean;
      readonly priority?: number;
    } = {},
  ): Promise<string> {
    const keypair = generateSecretKey(name);
    const id = this.#caches.size + 1;
    this.#caches.set(name, id);
    const { isPublic = false, retentionSeconds = null, priority = 41, deleted = false } = settings;
    await this.#insert('cache', {
      name,
      keypair,
      is_public: isPublic,
      store_dir: '/nix/store',
      priority,
      upstream_cache_key_names: '["cache.nixos.org-1"]',
      created_at: new Date(),
      deleted_at: deleted ? new Date() : null,
      retention_period: retentionSeconds,
    });
    return keypair;
  }

  /** Returns the names of the objects of the NAR, in order. */
  async push(cache: string, path: TestPath, options: PushOptions = {}): Promise<readonly string[]> {
    const narHash = `sha256:${path.narHash.toString('hex')}`;
    const nar = this.#nars.get(narHash) ?? (await this.#addNar(narHash, path.nar, options));
    this.#nars.set(narHash, nar);
    await this.#insert('object', {
      cache_id: this.#caches.get(cache) ?? 0,
      nar_id: nar.id,
      store_path_hash: path.hash,
      store_path: path.storePath,
      references: JSON.stringify(options.references ?? []),
      system: null,
      deriver: options.deriver ?? null,
      sigs: JSON.stringify(options.sigs ?? []),
      ca: null,
      created_at: options.createdAt ?? new Date(),
      last_accessed_at: options.lastAccessedAt ?? null,
      created_by: options.createdBy ?? null,
    });
    return nar.names;
  }

  async #addNar(narHash: string, nar: Buffer, options: PushOptions) {
    const { compression = 'zstd', chunkBytes = 64 * 1024 } = options;
    const step = chunkBytes === 0 ? nar.length : chunkBytes;
    const chunks: Chunk[] = [];
    for (let at = 0; at < nar.length; at += step) {
      chunks.push(await this.#addChunk(nar.subarray(at, at + step), compression));
    }
    const id = this.#nars.size + 1;
    await this.#insert('nar', {
      state: 'V',
      nar_hash: narHash,
      nar_size: nar.length,
      compression,
      num_chunks: chunks.length,
      created_at: new Date(),
    });
    for (const [seq, chunk] of chunks.entries()) {
      await this.#insert('chunkref', { nar_id: id, seq, chunk_id: chunk.id });
    }
    return { id, names: chunks.map(({ name }) => name) };
  }

  async #addChunk(plain: Buffer, compression: AtticCompression): Promise<Chunk> {
    const hash = sha256(plain);
    const known = this.#chunks.get(`${hash} ${compression}`);
    if (known !== undefined) return known;
    const bytes = await compressed(plain, compression);
    const name = `${randomUUID()}.chunk`;
    await this.#target.put(name, bytes);
    this.#rows += 1;
    const chunk = { id: this.#rows, name };
    this.#chunks.set(`${hash} ${compression}`, chunk);
    const remote = this.#target.remoteFile(name);
    await this.#insert('chunk', {
      state: 'V',
      chunk_hash: hash,
      chunk_size: plain.length,
      file_hash: sha256(bytes),
      file_size: bytes.length,
      compression,
      remote_file: JSON.stringify(remote.json),
      remote_file_id: remote.id,
      created_at: new Date(),
    });
    return chunk;
  }

  async #insert(table: string, row: Readonly<Record<string, Value>>): Promise<void> {
    const columns = Object.keys(row).map((name) => `"${name}"`);
    const values = Object.values(row).map((value) => this.#literal(value));
    await this.exec(`insert into ${table} (${columns.join()}) values (${values.join()})`);
  }

  #literal(value: Value): string {
    if (value === null) return 'null';
    if (typeof value === 'number') return String(value);
    if (typeof value === 'boolean') {
      return this.#target.dialect === 'postgres' ? String(value) : String(Number(value));
    }
    // With nanoseconds and an offset, as the server's own types write it.
    const text = value instanceof Date ? value.toISOString().replace('Z', '456789+00:00') : value;
    return `'${text.replaceAll("'", "''")}'`;
  }
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function compressed(plain: Buffer, compression: AtticCompression): Promise<Buffer> {
  switch (compression) {
    case 'zstd':
      return zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: 8 } });
    case 'br':
      return brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
    case 'xz':
      return Buffer.from(await xzCompress(plain));
    default:
      return plain;
  }
}

/** Objects in a folder, in Attic's layout of version 1. */
export async function atticFolder(root: string): Promise<Pick<AtticTarget, 'put' | 'remoteFile'>> {
  await mkdir(root, { recursive: true });
  await writeFile(join(root, 'VERSION'), '1');
  return {
    async put(name, bytes) {
      const path = atticObjectPath(root, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    },
    remoteFile: (name) => ({ json: { Local: { name } }, id: `local:${name}` }),
  };
}

export function atticObjectPath(root: string, name: string): string {
  return join(root, name.slice(0, 1), name.slice(0, 2), name);
}

/** A server with a SQLite file and a folder below `root`. */
export async function createTestAttic(root: string): Promise<{
  readonly attic: TestAttic;
  readonly databaseFile: string;
  readonly storage: string;
  readonly close: () => void;
}> {
  const databaseFile = join(root, 'server.db');
  const storage = join(root, 'storage');
  const objects = await atticFolder(storage);
  const database = new DatabaseSync(databaseFile);
  database.exec('pragma journal_mode = wal; pragma synchronous = off;');
  const attic = new TestAttic({
    dialect: 'sqlite',
    async exec(statement) {
      database.exec(statement);
    },
    ...objects,
  });
  await attic.createTables();
  return { attic, databaseFile, storage, close: () => database.close() };
}
