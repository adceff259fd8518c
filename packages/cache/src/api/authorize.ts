import { permissionsFor, isCacheName, type Permission } from '../access/permissions.ts';
import type { Claims } from '../access/claims.ts';
import type { LiveCache } from './cache-directory.ts';
import { wireError } from './error-response.ts';
import type { ApiContext, ApiParts } from './parts.ts';

export interface Authorized {
  readonly cache: LiveCache;
  readonly claims: Claims | undefined;
  readonly may: (permission: Permission) => boolean;
}

const NO_GRANTS: Claims['grants'] = [];

/** The caller's claims, undefined when anonymous. */
export function claimsOf(parts: ApiParts, c: ApiContext): Promise<Claims | undefined> {
  return parts.authenticator.authenticate(c.env.incoming.headers.authorization);
}

/**
 * The cache, when the caller may do this with it. Who holds no permission at all learns nothing,
 * not even whether the cache exists: 401 in every case. Everybody else is told 404 or 403.
 */
export async function authorize(
  parts: ApiParts,
  c: ApiContext,
  name: string,
  permission: Permission,
): Promise<Authorized> {
  if (!isCacheName(name)) throw wireError('InvalidCacheName', JSON.stringify(name));
  const claims = await claimsOf(parts, c);
  const granted = permissionsFor(claims?.grants ?? NO_GRANTS, name);
  const cache = await parts.caches.find(name);
  const isPublic = cache?.isPublic ?? false;
  if (granted.size === 0 && !isPublic) throw wireError('Unauthorized');
  if (cache === undefined) throw wireError('NoSuchCache');
  const may = (wanted: Permission): boolean =>
    granted.has(wanted) || (isPublic && wanted === 'pull');
  if (!may(permission)) throw wireError('AccessError');
  return { cache, claims, may };
}
