import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { FlywheelError, silentLogger, systemClock, type Clock, type Logger } from '@flywheel/base';
import {
  checkChunkSizes,
  DEFAULT_CHUNK_SIZES,
  DEFAULT_ZSTD_LEVEL,
  type ChunkSizes,
} from '@flywheel/chunking';
import { createApp } from './api/app.ts';
import { createCacheDirectory } from './api/cache-directory.ts';
import { createObjectMemo } from './api/object-memo.ts';
import type { ApiParts, ApiSettings } from './api/parts.ts';
import { createUseTracker } from './api/use-tracker.ts';
import { createAuthenticator } from './access/authenticator.ts';
import { openFolderBlobs } from './blobs/folder.ts';
import {
  dataDirectory,
  loadAdminToken,
  loadTokenKey,
  lockDataDirectory,
  prepareDataDirectory,
} from './data-directory.ts';
import { migrate } from './db/migrations.ts';
import { openSqlite } from './db/sqlite.ts';
import { createSqlMetadata } from './db/sql-metadata.ts';
import { ChunkerPool } from './store/chunker-pool.ts';
import { createFramePool } from './store/frame-pool.ts';
import { NarLocks } from './store/nar-locks.ts';
import type { NarStore } from './store/nar-store.ts';
import { OpenPacks } from './store/open-packs.ts';
import { startReclaiming } from './store/reclaim-loop.ts';

export interface CacheServerOptions {
  /** Everything lives here: database, packs, keys. Created where missing. */
  readonly dataDir: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly settings?: Partial<ApiSettings>;
  readonly chunkSizes?: ChunkSizes;
  readonly zstdLevel?: number;
  readonly version?: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Further fields for the status page and `/_status.json`. */
  readonly status?: () => Readonly<Record<string, unknown>>;
}

export interface CacheServer {
  /** Base URL, ends in `/`. */
  readonly url: string;
  /** May do everything; also in the data directory, mode 0600. */
  readonly adminToken: string;
  /** Lets transfers end for a while, then closes. */
  close(): Promise<void>;
}

/** Chunks that are hashed, looked up and compressed together. */
const BATCH_BYTES = 1024 * 1024;

const DEFAULT_SETTINGS: Omit<ApiSettings, 'publicStatus'> = {
  allowedHosts: [],
  apiEndpoint: undefined,
  substituterEndpoint: undefined,
  maxNarInfoSize: 1024 * 1024,
};

/**
 * Starts the binary cache on SQLite and a folder. Throws with a hint when the directory cannot be
 * written or is in use, the database is damaged, or the port is taken; nothing is changed then.
 */
export async function startCacheServer(options: CacheServerOptions): Promise<CacheServer> {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  const directory = dataDirectory(options.dataDir);
  await prepareDataDirectory(directory);

  await using cleanup = new AsyncDisposableStack();
  const unlock = await lockDataDirectory(directory);
  cleanup.defer(unlock);
  const { db, statements } = openSqlite(directory.database);
  const metadata = createSqlMetadata(db, clock);
  cleanup.defer(() => metadata.close());
  await migrate(db);
  // The lock is ours alone: whoever held a lease is dead.
  await metadata.abandonAllLeases();
  const blobs = await openFolderBlobs(options.dataDir);
  await blobs.removeLeftovers();

  const tokenKey = await loadTokenKey(directory);
  const adminToken = await loadAdminToken(directory, tokenKey, clock);
  const chunkSizes = checkChunkSizes(options.chunkSizes ?? DEFAULT_CHUNK_SIZES);
  const frames = createFramePool({
    level: options.zstdLevel ?? DEFAULT_ZSTD_LEVEL,
    slotBytes: Math.max(BATCH_BYTES, chunkSizes.max),
  });
  cleanup.defer(() => frames.close());
  const packs = new OpenPacks({ metadata, blobs, clock, logger });
  cleanup.defer(() => packs.close());
  const store: NarStore = {
    metadata,
    blobs,
    packs,
    chunkers: new ChunkerPool(chunkSizes),
    frames,
    clock,
    logger,
  };
  const startedAt = clock.now();
  const parts: ApiParts = {
    settings: {
      ...DEFAULT_SETTINGS,
      publicStatus: isLoopback(options.listen.host),
      ...options.settings,
    },
    store,
    authenticator: createAuthenticator(tokenKey, {}, clock),
    caches: createCacheDirectory(metadata, clock),
    objects: createObjectMemo(metadata, clock),
    narLocks: new NarLocks(),
    uses: createUseTracker(metadata, clock, logger),
    clock,
    logger,
    status: () => ({
      version: options.version ?? 'unknown',
      uptime_ms: clock.now() - startedAt,
      statements: statements(),
      ...options.status?.(),
    }),
  };
  cleanup.defer(() => parts.uses.close());
  const reclaiming = startReclaiming(store);
  cleanup.defer(() => reclaiming.stop());

  const server = createHttpServer(parts);
  await listen(server, options.listen);
  const url = urlOf(server, options.listen.host);
  cleanup.defer(() => closeServer(server));
  await writeFile(directory.server, `${JSON.stringify({ pid: process.pid, url })}\n`);
  cleanup.defer(() => rm(directory.server, { force: true }));

  const running = cleanup.move();
  logger.info('cache server listens', { url, data: join(options.dataDir) });
  return { url, adminToken, close: () => running.disposeAsync() };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function createHttpServer(parts: ApiParts): Server {
  const app = createApp(parts);
  const listener = getRequestListener(app.fetch, {
    hostname: 'localhost',
    overrideGlobalObjects: false,
  });
  return createServer(
    {
      // Answered by ourselves, in the protocol's form.
      requireHostHeader: false,
      // A push of 100 GB over a slow line is alive; Node's default would cut it after 5 minutes.
      requestTimeout: 0,
      headersTimeout: 60_000,
      keepAliveTimeout: 75_000,
      noDelay: true,
    },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
}

async function listen(
  server: Server,
  { host, port }: { host: string; port: number },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(cause, host, port)));
    server.listen(port, host, resolve);
  });
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): FlywheelError {
  const where = `${host}:${port}`;
  if (cause.code === 'EADDRINUSE') {
    return new FlywheelError('conflict', `another program listens on ${where}`, {
      cause,
      details: {
        hint: `stop it, or choose another address, for instance --listen ${host}:${port + 1}`,
      },
    });
  }
  return new FlywheelError('forbidden', `cannot listen on ${where}: ${cause.message}`, {
    cause,
    details: { hint: 'choose another address with --listen HOST:PORT' },
  });
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}/`;
}

/** How long transfers under way may take to end before they are cut. */
const GRACE_MS = 10_000;

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  await closed;
  clearTimeout(cut);
}
