import type { Hono } from 'hono';
import { browseCaches } from './browse-caches.ts';
import { listPaths } from './list-paths.ts';
import type { ApiEnv, ApiParts } from './parts.ts';
import { named, route } from './router.ts';
import { getUpstreams, putUpstreams } from './upstream-settings.ts';

/** The endpoints that tell people and their tools what is there. */
export function addBrowsing(app: Hono<ApiEnv>, parts: ApiParts): void {
  route(app, '/_flywheel/v1/caches', { GET: named('browse-caches', browseCaches(parts)) });
  route(app, '/_flywheel/v1/caches/:cache/paths', {
    GET: named('list-paths', listPaths(parts)),
  });
  route(app, '/_flywheel/v1/caches/:cache/upstreams', {
    GET: named('get-upstreams', getUpstreams(parts)),
    PUT: named('put-upstreams', putUpstreams(parts)),
  });
}
