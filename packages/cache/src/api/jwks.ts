import { publicJwkOf } from '../access/token-key.ts';
import { wireError } from './error-response.ts';
import type { ApiParts } from './parts.ts';
import type { Handler } from './router.ts';

/**
 * GET /.well-known/jwks.json: the public keys, with which others can verify tokens of this server.
 * Secrets of HS256 are not among them; with nothing else, there is no such document.
 */
export function jwks(parts: ApiParts): Handler {
  return (c) => {
    const keys = parts.identity.keys().keys.flatMap((key) => publicJwkOf(key) ?? []);
    if (keys.length === 0) throw wireError('NotFound');
    return c.json({ keys }, 200, { 'Cache-Control': 'public, max-age=300' });
  };
}
