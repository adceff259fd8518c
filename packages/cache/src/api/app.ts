import {
  configureCache,
  createCache,
  destroyCache,
  getCacheConfig,
  listCaches,
} from './cache-config.ts';
import { configureCacheSettings, getCacheSettings } from './cache-settings.ts';
import type { Answer, ApiContext } from './context.ts';
import { getMissingPaths } from './get-missing-paths.ts';
import { getNar } from './get-nar.ts';
import { getStorePathFile } from './get-narinfo.ts';
import { healthz, readyz } from './health.ts';
import { checkHost } from './host.ts';
import { metrics, openMetrics } from './metrics.ts';
import { addBrowsing } from './browse-routes.ts';
import { addBuildRecords } from './build-routes.ts';
import { deletePath } from './delete-path.ts';
import { addIdentity } from './identity-routes.ts';
import { nixCacheInfo } from './nix-cache-info.ts';
import type { ApiParts } from './parts.ts';
import { deletePin, getPin, listPins, putPin } from './pins.ts';
import { putNar } from './put-nar.ts';
import { putStorePathFile } from './put-narinfo.ts';
import { named, Router } from './router.ts';
import { getRun, listRuns, requestRun } from './runs.ts';
import { statusJson, statusPage } from './status.ts';
import { uploadPath } from './upload-path.ts';

/** The metrics of this moment in Prometheus' text format. */
type MetricsText = () => Promise<string>;

/** What answers a request. Throws what the client is to be told as an error. */
export type App = (c: ApiContext) => Promise<Answer>;

/** All endpoints of the cache server. */
export function createApp(parts: ApiParts, metricsText: MetricsText): App {
  const health = new Router();
  addHealth(health, parts);
  const router = new Router();
  // No cache can be in the way of these paths: everything of a cache lies below its name.
  router.route('/metrics', { GET: named('metrics', metrics(parts, metricsText)) });
  router.route('/', { GET: named('status-page', statusPage(parts)) });
  router.route('/_status.json', { GET: named('status-json', statusJson(parts)) });
  router.route('/_api/v1/caches', { GET: named('list-caches', listCaches(parts)) });
  router.route('/_api/v1/cache-config/:cache', {
    GET: named('get-cache-config', getCacheConfig(parts)),
    POST: named('create-cache', createCache(parts)),
    PATCH: named('configure-cache', configureCache(parts)),
    DELETE: named('destroy-cache', destroyCache(parts)),
  });
  router.route('/_api/v1/get-missing-paths', {
    POST: named('get-missing-paths', getMissingPaths(parts)),
  });
  router.route('/_api/v1/upload-path', { PUT: named('upload-path', uploadPath(parts)) });
  addIdentity(router, parts);
  addMaintenance(router, parts);
  addBrowsing(router, parts);
  addBuildRecords(router, parts);
  router.route('/:cache/nix-cache-info', { GET: named('nix-cache-info', nixCacheInfo(parts)) });
  router.route('/:cache/attic-cache-info', {
    GET: named('get-cache-config', getCacheConfig(parts)),
  });
  router.route('/:cache/nar/:file', {
    GET: named('get-nar', getNar(parts)),
    PUT: named('put-nar', putNar(parts)),
  });
  // Name themselves: what they are depends on the suffix.
  router.route('/:cache/:file', {
    GET: getStorePathFile(parts),
    PUT: putStorePathFile(parts),
    DELETE: named('delete-path', deletePath(parts)),
  });
  return async (c) => {
    // Before the check of Host: who probes a container asks for it by its address.
    const probe = health.find(c);
    if (probe !== undefined) return probe(c);
    checkHost(parts.settings, c.incoming.headers.host);
    return router.answer(c);
  };
}

/** What a cache keeps, and the runs that remove the rest: ours beside Attic's protocol. */
function addMaintenance(router: Router, parts: ApiParts): void {
  router.route('/_flywheel/v1/caches/:cache', {
    GET: named('get-cache-settings', getCacheSettings(parts)),
    PATCH: named('configure-cache-settings', configureCacheSettings(parts)),
  });
  router.route('/_flywheel/v1/caches/:cache/pins', { GET: named('list-pins', listPins(parts)) });
  router.route('/_flywheel/v1/caches/:cache/pins/:pin', {
    GET: named('get-pin', getPin(parts)),
    PUT: named('put-pin', putPin(parts)),
    DELETE: named('delete-pin', deletePin(parts)),
  });
  router.route('/_flywheel/v1/runs', {
    GET: named('list-runs', listRuns(parts)),
    POST: named('request-run', requestRun(parts)),
  });
  router.route('/_flywheel/v1/runs/:run', { GET: named('get-run', getRun(parts)) });
}

/** What a listener of its own shows to whoever watches the server. */
export function createWatchApp(parts: ApiParts, metricsText: MetricsText): App {
  const router = new Router();
  addHealth(router, parts);
  router.route('/metrics', { GET: named('metrics', openMetrics(metricsText)) });
  return (c) => router.answer(c);
}

function addHealth(router: Router, parts: ApiParts): void {
  router.route('/healthz', { GET: named('healthz', healthz()) });
  router.route('/readyz', { GET: named('readyz', readyz(parts)) });
}
