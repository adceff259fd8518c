import { getBuildLog, putBuildLog } from './build-log.ts';
import type { ApiParts } from './parts.ts';
import { getRealisation, putRealisation } from './realisation.ts';
import { named, type Router } from './router.ts';

/** What a build leaves beside its outputs. */
export function addBuildRecords(router: Router, parts: ApiParts): void {
  router.route('/:cache/log/:drv', {
    GET: named('get-log', getBuildLog(parts)),
    PUT: named('put-log', putBuildLog(parts)),
  });
  router.route('/:cache/realisations/:file', {
    GET: named('get-realisation', getRealisation(parts)),
    PUT: named('put-realisation', putRealisation(parts)),
  });
}
