import { exchangeToken } from './exchange-token.ts';
import { jwks } from './jwks.ts';
import type { ApiParts } from './parts.ts';
import { readAudit } from './read-audit.ts';
import { listRevocations, revoke } from './revocations.ts';
import { named, type Router } from './router.ts';
import { createToken, getToken, listTokens } from './tokens.ts';

/** The endpoints about who may do what. No cache can have such a name. */
export function addIdentity(router: Router, parts: ApiParts): void {
  router.route('/.well-known/jwks.json', { GET: named('jwks', jwks(parts)) });
  router.route('/_flywheel/v1/exchange', { POST: named('exchange-token', exchangeToken(parts)) });
  router.route('/_flywheel/v1/tokens', {
    GET: named('list-tokens', listTokens(parts)),
    POST: named('create-token', createToken(parts)),
  });
  router.route('/_flywheel/v1/tokens/:id', { GET: named('get-token', getToken(parts)) });
  router.route('/_flywheel/v1/revocations', {
    GET: named('list-revocations', listRevocations(parts)),
    POST: named('revoke', revoke(parts)),
  });
  router.route('/_flywheel/v1/audit', { GET: named('read-audit', readAudit(parts)) });
}
