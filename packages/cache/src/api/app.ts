import { Hono } from 'hono';
import {
  configureCache,
  createCache,
  destroyCache,
  getCacheConfig,
  listCaches,
} from './cache-config.ts';
import { configureCacheSettings, getCacheSettings } from './cache-settings.ts';
import { wireError } from './error-response.ts';
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
import type { ApiEnv, ApiParts } from './parts.ts';
import { deletePin, getPin, listPins, putPin } from './pins.ts';
import { putNar } from './put-nar.ts';
import { putStorePathFile } from './put-narinfo.ts';
import { replyWithError } from './reply-with-error.ts';
import { named, route } from './router.ts';
import { getRun, listRuns, requestRun } from './runs.ts';
import { statusJson, statusPage } from './status.ts';
import { uploadPath } from './upload-path.ts';

/** The metrics of this moment in Prometheus' text format. */
type MetricsText = () => Promise<string>;

/** All endpoints of the cache server. */
export function createApp(parts: ApiParts, metricsText: MetricsText): Hono<ApiEnv> {
  const app = emptyApp();
  // Before the check of Host: who probes a container asks for it by its address.
  addHealth(app, parts);
  app.use(async (c, next) => {
    checkHost(parts.settings, c.env.incoming.headers.host);
    await next();
  });
  // No cache can be in the way of these paths: everything of a cache lies below its name.
  route(app, '/metrics', { GET: named('metrics', metrics(parts, metricsText)) });
  route(app, '/', { GET: named('status-page', statusPage(parts)) });
  route(app, '/_status.json', { GET: named('status-json', statusJson(parts)) });
  route(app, '/_api/v1/caches', { GET: named('list-caches', listCaches(parts)) });
  route(app, '/_api/v1/cache-config/:cache', {
    GET: named('get-cache-config', getCacheConfig(parts)),
    POST: named('create-cache', createCache(parts)),
    PATCH: named('configure-cache', configureCache(parts)),
    DELETE: named('destroy-cache', destroyCache(parts)),
  });
  route(app, '/_api/v1/get-missing-paths', {
    POST: named('get-missing-paths', getMissingPaths(parts)),
  });
  route(app, '/_api/v1/upload-path', { PUT: named('upload-path', uploadPath(parts)) });
  addIdentity(app, parts);
  addMaintenance(app, parts);
  addBrowsing(app, parts);
  addBuildRecords(app, parts);
  route(app, '/:cache/nix-cache-info', { GET: named('nix-cache-info', nixCacheInfo(parts)) });
  route(app, '/:cache/attic-cache-info', {
    GET: named('get-cache-config', getCacheConfig(parts)),
  });
  route(app, '/:cache/nar/:file', {
    GET: named('get-nar', getNar(parts)),
    PUT: named('put-nar', putNar(parts)),
  });
  // Name themselves: what they are depends on the suffix.
  route(app, '/:cache/:file', {
    GET: getStorePathFile(parts),
    PUT: putStorePathFile(parts),
    DELETE: named('delete-path', deletePath(parts)),
  });
  return app;
}

/** What a cache keeps, and the runs that remove the rest: ours beside Attic's protocol. */
function addMaintenance(app: Hono<ApiEnv>, parts: ApiParts): void {
  route(app, '/_flywheel/v1/caches/:cache', {
    GET: named('get-cache-settings', getCacheSettings(parts)),
    PATCH: named('configure-cache-settings', configureCacheSettings(parts)),
  });
  route(app, '/_flywheel/v1/caches/:cache/pins', { GET: named('list-pins', listPins(parts)) });
  route(app, '/_flywheel/v1/caches/:cache/pins/:pin', {
    GET: named('get-pin', getPin(parts)),
    PUT: named('put-pin', putPin(parts)),
    DELETE: named('delete-pin', deletePin(parts)),
  });
  route(app, '/_flywheel/v1/runs', {
    GET: named('list-runs', listRuns(parts)),
    POST: named('request-run', requestRun(parts)),
  });
  route(app, '/_flywheel/v1/runs/:run', { GET: named('get-run', getRun(parts)) });
}

/** What a listener of its own shows to whoever watches the server. */
export function createWatchApp(parts: ApiParts, metricsText: MetricsText): Hono<ApiEnv> {
  const app = emptyApp();
  addHealth(app, parts);
  route(app, '/metrics', { GET: named('metrics', openMetrics(metricsText)) });
  return app;
}

function emptyApp(): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>({ strict: true });
  app.onError((error, c) => replyWithError(error, c));
  app.notFound((c) => replyWithError(wireError('NotFound'), c));
  return app;
}

function addHealth(app: Hono<ApiEnv>, parts: ApiParts): void {
  route(app, '/healthz', { GET: named('healthz', healthz()) });
  route(app, '/readyz', { GET: named('readyz', readyz(parts)) });
}
