import { randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import {
  configureCache,
  createCache,
  destroyCache,
  getCacheConfig,
  listCaches,
} from './cache-config.ts';
import { errorReply, isServerFault, wireError } from './error-response.ts';
import { getMissingPaths } from './get-missing-paths.ts';
import { getNar } from './get-nar.ts';
import { getStorePathFile } from './get-narinfo.ts';
import { nixCacheInfo } from './nix-cache-info.ts';
import type { ApiContext, ApiEnv, ApiParts } from './parts.ts';
import { putNar } from './put-nar.ts';
import { putStorePathFile } from './put-narinfo.ts';
import { discardBody } from './request-body.ts';
import { route } from './router.ts';
import { statusJson, statusPage } from './status.ts';
import { uploadPath } from './upload-path.ts';

/** All endpoints of the cache server. */
export function createApp(parts: ApiParts): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>({ strict: true });
  app.onError((error, c) => replyWithError(parts, error, c));
  app.notFound((c) => replyWithError(parts, wireError('NotFound'), c));

  app.use(async (c, next) => {
    checkHost(parts, c.env.incoming.headers.host);
    await next();
  });
  route(app, '/', { GET: statusPage(parts) });
  route(app, '/_status.json', { GET: statusJson(parts) });
  route(app, '/_api/v1/caches', { GET: listCaches(parts) });
  route(app, '/_api/v1/cache-config/:cache', {
    GET: getCacheConfig(parts),
    POST: createCache(parts),
    PATCH: configureCache(parts),
    DELETE: destroyCache(parts),
  });
  route(app, '/_api/v1/get-missing-paths', { POST: getMissingPaths(parts) });
  route(app, '/_api/v1/upload-path', { PUT: uploadPath(parts) });
  route(app, '/:cache/nix-cache-info', { GET: nixCacheInfo(parts) });
  route(app, '/:cache/attic-cache-info', { GET: getCacheConfig(parts) });
  route(app, '/:cache/nar/:file', { GET: getNar(parts), PUT: putNar(parts) });
  route(app, '/:cache/:file', { GET: getStorePathFile(parts), PUT: putStorePathFile(parts) });
  return app;
}

function checkHost(parts: ApiParts, host: string | undefined): void {
  if (host === undefined || host === '') throw wireError('RequestError', 'Missing Host header');
  const { allowedHosts } = parts.settings;
  if (allowedHosts.length > 0 && !allowedHosts.includes(host)) {
    throw wireError('RequestError', 'Bad Host');
  }
}

async function replyWithError(parts: ApiParts, error: Error, c: ApiContext): Promise<Response> {
  const reply = errorReply(error);
  const headers: Record<string, string> = {};
  if (isServerFault(reply)) {
    // What went wrong is for the log; the client gets a number to ask about.
    const requestId = randomBytes(8).toString('hex');
    headers['X-Request-Id'] = requestId;
    parts.logger.error('request failed', {
      requestId,
      method: c.req.method,
      path: c.req.path,
      status: reply.status,
      error,
    });
  }
  await discardBody(c);
  return c.json(reply.body, reply.status as 400, headers);
}
