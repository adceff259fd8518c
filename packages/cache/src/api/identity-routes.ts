import type { Hono } from 'hono';
import { exchangeToken } from './exchange-token.ts';
import { jwks } from './jwks.ts';
import type { ApiEnv, ApiParts } from './parts.ts';
import { readAudit } from './read-audit.ts';
import { listRevocations, revoke } from './revocations.ts';
import { named, route } from './router.ts';
import { createToken, getToken, listTokens } from './tokens.ts';

/** The endpoints about who may do what. No cache can have such a name. */
export function addIdentity(app: Hono<ApiEnv>, parts: ApiParts): void {
  route(app, '/.well-known/jwks.json', { GET: named('jwks', jwks(parts)) });
  route(app, '/_flywheel/v1/exchange', { POST: named('exchange-token', exchangeToken(parts)) });
  route(app, '/_flywheel/v1/tokens', {
    GET: named('list-tokens', listTokens(parts)),
    POST: named('create-token', createToken(parts)),
  });
  route(app, '/_flywheel/v1/tokens/:id', { GET: named('get-token', getToken(parts)) });
  route(app, '/_flywheel/v1/revocations', {
    GET: named('list-revocations', listRevocations(parts)),
    POST: named('revoke', revoke(parts)),
  });
  route(app, '/_flywheel/v1/audit', { GET: named('read-audit', readAudit(parts)) });
}
