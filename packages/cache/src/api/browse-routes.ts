import { browseCaches } from './browse-caches.ts';
import { listPaths } from './list-paths.ts';
import type { ApiParts } from './parts.ts';
import { named, type Router } from './router.ts';
import { getUpstreams, putUpstreams } from './upstream-settings.ts';

/** The endpoints that tell people and their tools what is there. */
export function addBrowsing(router: Router, parts: ApiParts): void {
  router.route('/_flywheel/v1/caches', { GET: named('browse-caches', browseCaches(parts)) });
  router.route('/_flywheel/v1/caches/:cache/paths', {
    GET: named('list-paths', listPaths(parts)),
  });
  router.route('/_flywheel/v1/caches/:cache/upstreams', {
    GET: named('get-upstreams', getUpstreams(parts)),
    PUT: named('put-upstreams', putUpstreams(parts)),
  });
}
