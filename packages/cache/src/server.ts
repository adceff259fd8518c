import { rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock, type Clock, type Logger } from '@flywheel/base';
import type { ChunkSizes } from '@flywheel/chunking';
import { createCacheDirectory } from './api/cache-directory.ts';
import { createObjectMemo } from './api/object-memo.ts';
import type { ApiParts, ApiSettings } from './api/parts.ts';
import { chooseHandOver, type Downloads } from './api/choose-hand-over.ts';
import { createReadiness, type Probes } from './api/readiness.ts';
import type { SendFile } from './api/send-file.ts';
import { createStoreFigures } from './api/store-figures.ts';
import { UploadGate, type UploadGateOptions } from './api/upload-gate.ts';
import { createUseTracker } from './api/use-tracker.ts';
import { openIdentity } from './access/identity.ts';
import { awaitStores, type WaitOptions } from './await-stores.ts';
import type { RateSettings } from './access/rate-limits.ts';
import { dataDirectory, ensureTokenKey, prepareDataDirectory } from './data-directory.ts';
import { keepAdminToken } from './keep-admin-token.ts';
import { serve, type ShutdownTimes } from './serve.ts';
import type { HttpLimits } from './http/limits.ts';
import type { ListenAddress } from './http/listen.ts';
import { maintenanceKinds, type MaintenanceSettings } from './maintenance-kinds.ts';
import type { StoreOptions } from './open-stores.ts';
import { countRun, createFigures } from './metrics/figures.ts';
import { createReadChecks } from './repair/read-checks.ts';
import { RunDesk } from './runs/run-desk.ts';
import { NarLocks } from './store/nar-locks.ts';
import type { NarStore } from './store/nar-store.ts';
import { openNarStore } from './store/open-nar-store.ts';
import { Pulls } from './upstream/pulls.ts';
import { Upstreams } from './upstream/upstreams.ts';
import { Via } from './upstream/via.ts';

export interface CacheServerOptions extends StoreOptions, WaitOptions, MaintenanceSettings {
  /** Whether we send NARs from S3 ourselves, or tell clients where to get them. Default `proxy`. */
  readonly downloads?: Downloads | undefined;
  /** The front server that every client comes through sends packs, which lie in a folder. */
  readonly sendFile?: SendFile | undefined;
  readonly listen: ListenAddress;
  /** A second address with /metrics, /healthz and /readyz only, for everybody who reaches it. */
  readonly metricsListen?: ListenAddress | undefined;
  readonly limits?: Partial<HttpLimits> | undefined;
  readonly uploads?: Partial<UploadGateOptions> | undefined;
  readonly shutdown?: ShutdownTimes | undefined;
  readonly settings?: Partial<ApiSettings>;
  /** Folder with the keys of tokens, one file a key; without it, the data directory's own. */
  readonly tokenKeys?: string | undefined;
  /** Which ID tokens of GitLab are exchanged, and for what: a file in YAML or JSON. */
  readonly exchangePolicy?: string | undefined;
  readonly rates?: Partial<RateSettings> | undefined;
  /** How often keys and policy are looked at for changes. */
  readonly reloadEveryMs?: number | undefined;
  readonly chunkSizes?: ChunkSizes;
  readonly zstdLevel?: number;
  readonly version?: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Whether what is sent is checked afterwards; default: when packs are in a folder. */
  readonly checkReads?: boolean | undefined;
  /** Further fields for the status page and `/_status.json`. */
  readonly status?: () => Readonly<Record<string, unknown>>;
}

export interface CacheServer {
  /** Base URL, ends in `/`. */
  readonly url: string;
  /** Of the listener of `metricsListen`. */
  readonly metricsUrl: string | undefined;
  /** May do everything; also in the data directory, mode 0600. */
  readonly adminToken: string;
  /** Lets transfers end for a while, see `shutdown`, then closes. */
  close(): Promise<void>;
}

/** How long a run that another process was asked for waits for us at most. */
const POLL_RUNS_MS = 3000;

const DEFAULT_SETTINGS: Omit<ApiSettings, 'publicStatus'> = {
  allowedHosts: [],
  apiEndpoint: undefined,
  substituterEndpoint: undefined,
  maxNarInfoSize: 1024 * 1024,
  trustForwardedFor: false,
};

/**
 * More at once would not be faster: they share the cores. The floor is for the many small paths of a
 * push on a machine with few, where most of the time an upload waits for its client.
 */
const DEFAULT_UPLOADS: UploadGateOptions = {
  limit: Math.max(16, 4 * availableParallelism()),
  waitMs: 30_000,
};

/** Paths that are fetched from upstream caches at once. Their first clients wait for them. */
const DEFAULT_PULLS: UploadGateOptions = { limit: 16, waitMs: 30_000 };

/**
 * Starts the binary cache on SQLite or PostgreSQL and a folder or S3. Throws with a hint when the
 * directory cannot be written or is in use, the database is damaged or does not answer, the bucket
 * cannot be used, or the port is taken; nothing is changed then. With `waitMs` it waits for database and
 * bucket, and throws only when they do not come.
 */
export async function startCacheServer(options: CacheServerOptions): Promise<CacheServer> {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  const directory = dataDirectory(options.dataDir);
  await prepareDataDirectory(directory);

  await using cleanup = new AsyncDisposableStack();
  const stores = cleanup.use(await awaitStores(options, clock, logger));
  const { metadata, blobs, database, soleOwner } = stores;
  const handOver = chooseHandOver(options, stores);
  if (soleOwner) {
    // The lock is ours: whoever held a lease or wrote a file is dead. With PostgreSQL other replicas
    // live; what those leave that do not is found by its lease when that has run out.
    await metadata.abandonAllLeases();
    if (options.s3 === undefined) await blobs.removeLeftovers(0);
  }

  const { tokenKeys } = options;
  if (tokenKeys === undefined) await ensureTokenKey(directory);
  const identity = await openIdentity({
    records: metadata,
    keyFolder: tokenKeys === undefined ? directory.tokenKeys : { path: tokenKeys, prefix: '' },
    policyFile: options.exchangePolicy,
    rates: options.rates,
    reloadEveryMs: options.reloadEveryMs,
    alone: soleOwner,
    clock,
    logger,
  });
  cleanup.defer(() => identity.close());
  const admin = await keepAdminToken(directory, identity, clock, logger);
  cleanup.defer(() => admin.close());
  const startedAt = clock.now();
  const figures = createFigures();
  const objects = createObjectMemo(metadata, clock, { soleWriter: soleOwner });
  const onDamage = () => {
    figures.damageFound += 1;
    objects.clear();
  };
  const { chunkSizes, zstdLevel } = options;
  const store = openNarStore(stores, { chunkSizes, zstdLevel, clock, logger, onDamage });
  cleanup.use(store);
  const uses = createUseTracker(metadata, clock, logger);
  const runs = new RunDesk(
    maintenanceKinds(
      {
        store,
        inS3: stores.s3 !== undefined,
        hasReplicas: !soleOwner,
        objects,
        uses,
        tokenKeys: () => identity.keys().keys,
        onDamage,
      },
      options,
    ),
  );
  const pulls = new Pulls();
  cleanup.defer(() => pulls.close());
  const { checkReads = stores.s3 === undefined } = options;
  const readChecks = checkReads ? createReadChecks({ store, onDamage }) : undefined;
  cleanup.defer(() => readChecks?.close());
  const parts: ApiParts = {
    settings: {
      ...DEFAULT_SETTINGS,
      publicStatus: isLoopback(options.listen.host),
      ...options.settings,
    },
    store,
    identity,
    renewAdminToken: () => admin.renew(),
    caches: createCacheDirectory(metadata, clock),
    objects,
    narLocks: new NarLocks(),
    uses,
    uploads: new UploadGate({ ...DEFAULT_UPLOADS, ...options.uploads }),
    handOver,
    upstreams: new Upstreams(clock, logger),
    pulls,
    pullGate: new UploadGate(DEFAULT_PULLS),
    via: new Via(),
    readChecks,
    figures,
    runs,
    defaultRetentionSeconds: options.retention?.defaultSeconds,
    readiness: createReadiness(probesOf(store), clock, logger),
    storeFigures: createStoreFigures(metadata, clock),
    lifecycle: { draining: false },
    clock,
    logger,
    status: () => ({
      version: options.version ?? 'unknown',
      uptime_ms: clock.now() - startedAt,
      statements: database.statements(),
      ...options.status?.(),
    }),
  };
  cleanup.defer(() => parts.uses.close());
  if (options.role !== 'api') {
    runs.start({
      metadata,
      logger,
      pollMs: soleOwner ? undefined : POLL_RUNS_MS,
      // Of many replicas that start at once, none need begin with it.
      dueAtStart: soleOwner || options.role === 'gc',
      onRun: (kind, result) => countRun(figures, kind, result),
    });
    cleanup.defer(() => runs.stop());
  }

  const serving = await serve(parts, {
    ...options,
    watchOnly: options.role === 'gc',
    version: options.version ?? 'unknown',
    statements: () => database.statements(),
    s3Requests: () => stores.s3?.requests ?? new Map(),
  });
  cleanup.defer(() => serving.close());
  const { url, metricsUrl } = serving;
  await writeFile(directory.server, `${JSON.stringify({ pid: process.pid, url })}\n`);
  cleanup.defer(() => rm(directory.server, { force: true }));

  const running = cleanup.move();
  logger.info('cache server listens', { url, metricsUrl, data: join(options.dataDir) });
  return {
    url,
    metricsUrl,
    get adminToken() {
      return admin.current;
    },
    close: () => running.disposeAsync(),
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function probesOf({ metadata, blobs }: NarStore): Probes {
  return {
    // One indexed read. No cache has this name.
    database: () => metadata.findCache('.'),
    blobs: () => blobs.probe(),
  };
}
