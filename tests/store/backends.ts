import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  isMissing,
  startCacheProcess,
  startMinio,
  startPostgres,
  startVersity,
} from '@flywheel/testing';
import type { CacheProcess, Missing, Postgres, S3Server } from '@flywheel/testing';
import { connectS3 } from '../../packages/cache/src/blobs/s3-client.ts';
import { packKeyOf } from '../../packages/cache/src/store/pack-key.ts';

const LAUNCHER = fileURLToPath(new URL('../../flywheel', import.meta.url));

/** What a cache can be built of. */
export interface Combination {
  readonly database: 'SQLite' | 'PostgreSQL';
  readonly packs: 'a folder' | 'Versity' | 'MinIO';
}

/** A place for a cache of one combination, beside the server: what the tests look into. */
export interface Backend extends AsyncDisposable {
  /** Starts the server of this place, in a process of its own. */
  start(args?: readonly string[], listen?: string): Promise<CacheProcess>;
  /** Keys of the packs that are there. */
  packs(): Promise<readonly string[]>;
  removePack(key: string): Promise<void>;
  /** Flips a bit of this byte of a pack. */
  damagePack(key: string, at: number): Promise<void>;
  /** Nothing of the database is left. No server may run. */
  loseDatabase(): Promise<void>;
  /** Runs `flywheel` with these arguments and those that the server is told; answers its stdout. */
  run(args: readonly string[]): Promise<string>;
  /** Files and multipart uploads that are being written, or were when their server died. */
  unfinished(): Promise<number>;
  /** Makes every upload's lease run out, as ten minutes would. */
  expireLeases(): Promise<void>;
}

/** The database and the blobs of a backend, each with what the server is told of it. */
interface Part extends AsyncDisposable {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

interface Database extends Part {
  /** The leases of uploads, where they can be asked for while a server runs. */
  leases(): Promise<readonly string[]>;
  expireLeases(): Promise<void>;
  lose(): Promise<void>;
}

interface Packs extends Part, Pick<Backend, 'packs' | 'removePack' | 'damagePack'> {
  /** `keys` are those that may be unfinished: MinIO tells of an upload only by its key. */
  unfinished(keys: readonly string[]): Promise<number>;
}

export async function openBackend(combination: Combination): Promise<Backend | Missing> {
  await using cleanup = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'flywheel-backend-'));
  cleanup.defer(() => rm(dataDir, { recursive: true, force: true }));
  const database = combination.database === 'SQLite' ? sqlite(dataDir) : await postgres(dataDir);
  if (isMissing(database)) return database;
  cleanup.use(database);
  const packs = combination.packs === 'a folder' ? folder(dataDir) : await s3(combination.packs);
  if (isMissing(packs)) return packs;
  cleanup.use(packs);
  const opened = cleanup.move();
  const known = new Set<string>();
  return {
    start: (args = [], listen = '127.0.0.1:0') =>
      startCacheProcess({
        dataDir,
        listen,
        args: [...database.args, ...packs.args, ...args],
        env: { ...database.env, ...packs.env },
      }),
    packs: () => packs.packs(),
    removePack: (key) => packs.removePack(key),
    damagePack: (key, at) => packs.damagePack(key, at),
    loseDatabase: () => database.lose(),
    async run(args) {
      const given = [...args, '--data', dataDir, ...database.args, ...packs.args];
      const env = { ...process.env, ...database.env, ...packs.env };
      return (await promisify(execFile)(LAUNCHER, given, { env })).stdout;
    },
    async unfinished() {
      // Also of leases that are forgotten by now: it is their traces that must be gone.
      for (const lease of await database.leases()) known.add(packKeyOf(lease));
      return packs.unfinished([...known]);
    },
    expireLeases: () => database.expireLeases(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** A server on it alone abandons all leases when it starts. */
function sqlite(dataDir: string): Database {
  return {
    args: [],
    env: {},
    leases: async () => [],
    expireLeases: async () => {},
    async lose() {
      const files = (await readdir(dataDir)).filter((name) => name.startsWith('cache.db'));
      for (const name of files) await rm(join(dataDir, name));
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

async function postgres(dataDir: string): Promise<Database | Missing> {
  const found = await startPostgres();
  if (isMissing(found)) return found;
  const server: Postgres = found;
  const file = join(dataDir, 'database-url');
  const url = await server.createDatabase();
  await writeFile(file, url);
  const name = new URL(url).pathname.slice(1);
  return {
    args: ['--database-file', file],
    env: {},
    leases: async () => {
      const text = await server.sql('select id from lease', name);
      return text === '' ? [] : text.split('\n');
    },
    expireLeases: async () => {
      await server.sql('update lease set expires_at = 0', name);
    },
    async lose() {
      await server.sql('drop schema public cascade', name);
      await server.sql('create schema public', name);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function folder(dataDir: string): Packs {
  const root = join(dataDir, 'packs');
  return {
    args: [],
    env: {},
    async packs() {
      const names = await readdir(root, { recursive: true });
      return names.filter((name) => name.endsWith('.pack'));
    },
    removePack: (key) => rm(join(root, key)),
    async damagePack(key, at) {
      const bytes = await readFile(join(root, key));
      await writeFile(join(root, key), flipped(bytes, at));
    },
    unfinished: async () => (await readdir(join(dataDir, 'tmp'))).length,
    [Symbol.asyncDispose]: async () => {},
  };
}

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 0x20;
  return bytes;
}

async function s3(program: 'Versity' | 'MinIO'): Promise<Packs | Missing> {
  const found = await (program === 'MinIO' ? startMinio() : startVersity());
  if (isMissing(found)) return found;
  const server: S3Server = found;
  const prefix = 'caches/test/';
  const { bucket: Bucket, endpoint } = server;
  // The same for both servers, and what this process asks them with.
  Object.assign(process.env, server.env);
  const { sdk, client } = await connectS3({ bucket: Bucket, endpoint });
  return {
    args: ['--s3-bucket', Bucket, '--s3-endpoint', endpoint, '--s3-prefix', prefix],
    env: server.env,
    async packs() {
      const command = new sdk.ListObjectsV2Command({ Bucket, Prefix: prefix });
      const { Contents = [] } = await client.send(command);
      const keys = Contents.map(({ Key = '' }) => Key.slice(prefix.length));
      return keys.filter((key) => key.endsWith('.pack'));
    },
    async removePack(key) {
      await client.send(new sdk.DeleteObjectCommand({ Bucket, Key: prefix + key }));
    },
    async damagePack(key, at) {
      const place = { Bucket, Key: prefix + key };
      const { Body } = await client.send(new sdk.GetObjectCommand(place));
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
      await client.send(new sdk.PutObjectCommand({ ...place, Body: flipped(bytes, at) }));
    },
    async unfinished(keys) {
      const prefixes = keys.length === 0 ? [prefix] : keys.map((key) => prefix + key);
      const counts = prefixes.map(async (Prefix) => {
        const command = new sdk.ListMultipartUploadsCommand({ Bucket, Prefix });
        return (await client.send(command)).Uploads?.length ?? 0;
      });
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}
