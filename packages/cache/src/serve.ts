import { setTimeout as sleep } from 'node:timers/promises';
import { createApp, createWatchApp } from './api/app.ts';
import { shortcuts } from './api/shortcuts.ts';
import type { ApiParts } from './api/parts.ts';
import { createRequestListener } from './api/request-listener.ts';
import { startHttpServer, type HttpServer, type RequestListener } from './http/http-server.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './http/limits.ts';
import type { ListenAddress } from './http/listen.ts';
import { RequestFigures } from './metrics/request-figures.ts';
import type { MetricsSources } from './metrics/sources.ts';
import { RETENTION } from './retention/retention-run.ts';

export interface ServeOptions {
  readonly listen: ListenAddress;
  /** A second address with /metrics, /healthz and /readyz only, for everybody who reaches it. */
  readonly metricsListen?: ListenAddress | undefined;
  readonly limits?: Partial<HttpLimits> | undefined;
  readonly shutdown?: ShutdownTimes | undefined;
  /** No API at all: `listen` shows what `metricsListen` does. */
  readonly watchOnly: boolean;
  readonly version: string;
  readonly statements: () => number;
  readonly s3Requests: () => ReadonlyMap<string, number>;
}

export interface ShutdownTimes {
  /** How long new requests are taken while /readyz says 503, for a load balancer to notice. */
  readonly drainMs?: number;
  /** How long transfers under way may then take to end before they are cut. */
  readonly graceMs?: number;
}

export interface Serving {
  /** Ends in `/`. */
  readonly url: string;
  readonly metricsUrl: string | undefined;
  /** Drains, lets transfers end, and waits for the work behind every request. */
  close(): Promise<void>;
}

const DEFAULT_GRACE_MS = 10_000;
/** 24 days. A timer that is set to more fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Counting a store of a million chunks is not for every scrape. */
const STORE_FIGURES_MS = 60_000;

/** Opens the listeners. Throws with a hint when an address is taken or not to be had. */
export async function serve(parts: ApiParts, options: ServeOptions): Promise<Serving> {
  const limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
  const requests = new RequestFigures();
  let main: HttpServer | undefined;
  const metricsText = onDemand({
    version: options.version,
    requests,
    figures: parts.figures,
    uploads: parts.uploads,
    traffic: () =>
      main?.traffic() ?? { connections: 0, dropped: 0, receivedBytes: 0, sentBytes: 0 },
    frames: () => parts.store.frames.usage(),
    upstreams: () => parts.upstreams.figures(),
    pullsInFlight: () => parts.pulls.inFlight,
    pendingUses: () => parts.uses.pending(),
    audit: parts.identity.audit,
    statements: options.statements,
    s3Requests: options.s3Requests,
    lastRun: () => parts.store.metadata.latestRun(RETENTION),
    store: async () => (await parts.storeFigures(STORE_FIGURES_MS)).statistics,
  });
  const bodyPace = {
    patienceMs: limits.patienceMs,
    bytesPerSecond: limits.bodyBytesPerSecond,
  };
  const common = { parts, requests, bodyPace };

  const listener = options.watchOnly
    ? watchListener()
    : createRequestListener({
        ...common,
        app: createApp(parts, metricsText),
        shortcut: shortcuts(parts),
      });
  main = await startHttpServer(options.listen, listener, limits);
  const watch = await startWatch(main);

  function watchListener(): RequestListener {
    return createRequestListener({ ...common, app: createWatchApp(parts, metricsText) });
  }

  async function startWatch(started: HttpServer): Promise<HttpServer | undefined> {
    if (options.metricsListen === undefined) return undefined;
    try {
      return await startHttpServer(options.metricsListen, watchListener(), limits);
    } catch (error) {
      await started.close(0);
      throw error;
    }
  }

  const { drainMs = 0, graceMs = DEFAULT_GRACE_MS } = options.shutdown ?? {};
  return {
    url: main.url,
    metricsUrl: watch?.url,
    async close() {
      parts.lifecycle.draining = true;
      // Who waits for a place had better ask another replica.
      parts.uploads.close();
      await sleep(Math.min(drainMs, MAX_TIMER_MS));
      await main.close(Math.min(graceMs, MAX_TIMER_MS));
      // Last, so that the end can be watched.
      await watch?.close(0);
    },
  };
}

/** Loads what makes the text when it is first asked for: a start does without. */
function onDemand(sources: MetricsSources): () => Promise<string> {
  let loaded: Promise<() => Promise<string>> | undefined;
  return async () => {
    loaded ??= import('./metrics/exposition.ts').then(({ createExposition }) =>
      createExposition(sources),
    );
    return (await loaded)();
  };
}
