import type { Hono } from 'hono';
import { getBuildLog, putBuildLog } from './build-log.ts';
import type { ApiEnv, ApiParts } from './parts.ts';
import { getRealisation, putRealisation } from './realisation.ts';
import { named, route } from './router.ts';

/** What a build leaves beside its outputs. */
export function addBuildRecords(app: Hono<ApiEnv>, parts: ApiParts): void {
  route(app, '/:cache/log/:drv', {
    GET: named('get-log', getBuildLog(parts)),
    PUT: named('put-log', putBuildLog(parts)),
  });
  route(app, '/:cache/realisations/:file', {
    GET: named('get-realisation', getRealisation(parts)),
    PUT: named('put-realisation', putRealisation(parts)),
  });
}
