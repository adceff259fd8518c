import { FlywheelError } from '@flywheel/base';
import { isCacheName, permissionsFor, type Permission } from '../access/permissions.ts';
import type { Claims } from '../access/claims.ts';
import type { LiveCache } from './cache-directory.ts';
import type { ApiContext } from './context.ts';
import { CHALLENGE, wireError, type WireErrorName } from './error-response.ts';
import type { ApiParts } from './parts.ts';
import { checkRequestRate } from './rate-limit.ts';

export interface Authorized {
  readonly cache: LiveCache;
  readonly claims: Claims | undefined;
  readonly may: (permission: Permission) => boolean;
}

const NO_GRANTS: Claims['grants'] = [];

/** The caller's claims, undefined when anonymous. Throws when there are too many requests. */
export async function claimsOf(parts: ApiParts, c: ApiContext): Promise<Claims | undefined> {
  const { authorization } = c.incoming.headers;
  const claims = await parts.identity.authenticator.authenticate(authorization);
  if (claims !== undefined) c.exchange.claims = claims;
  checkRequestRate(parts, c, claims);
  return claims;
}

/** The cache, when the caller may do this with it. Throws what `refusal` says otherwise. */
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
  const refused = refusal(granted, cache, permission);
  if (refused === 'Unauthorized' || (refused === 'AccessError' && claims === undefined)) {
    throw await unauthorized(parts, c, refused);
  }
  if (cache === undefined || refused !== undefined) throw wireError(refused ?? 'NoSuchCache');
  return { cache, claims, may: (wanted) => may(granted, cache, wanted) };
}

/**
 * The refusal of somebody with a worthless token says why it is worthless, and nothing of what was
 * asked for: the same words whether that is there or not. Others get `otherwise`.
 */
export async function unauthorized(
  parts: ApiParts,
  c: ApiContext,
  otherwise: WireErrorName = 'Unauthorized',
): Promise<FlywheelError> {
  const { authorization } = c.incoming.headers;
  const fault = await parts.identity.authenticator.faultOf(authorization);
  if (fault === undefined) return wireError(otherwise);
  const description = fault.message.replaceAll('"', "'");
  return new FlywheelError('unauthorized', fault.message, {
    details: {
      wire: 'Unauthorized',
      challenge: `${CHALLENGE}, error="invalid_token", error_description="${description}"`,
    },
  });
}

/**
 * The same without waiting, from what earlier requests have left in memory. Undefined when that is
 * not enough, or the answer is no: then `authorize` has to say it.
 */
export function authorizeFromMemory(
  parts: ApiParts,
  authorization: string | undefined,
  name: string,
  permission: Permission,
): { readonly cache: LiveCache; readonly claims: Claims | undefined } | undefined {
  const cache = parts.caches.recall(name);
  if (cache === undefined) return undefined;
  const claims = parts.identity.authenticator.recall(authorization);
  if (claims === 'unknown') return undefined;
  const granted = permissionsFor(claims?.grants ?? NO_GRANTS, name);
  return refusal(granted, cache, permission) === undefined ? { cache, claims } : undefined;
}

/**
 * Who holds no permission at all learns nothing, not even whether the cache exists: 401 in every
 * case. Everybody else is told 404 or 403.
 */
function refusal(
  granted: ReadonlySet<Permission>,
  cache: LiveCache | undefined,
  permission: Permission,
): WireErrorName | undefined {
  if (granted.size === 0 && cache?.isPublic !== true) return 'Unauthorized';
  if (cache === undefined) return 'NoSuchCache';
  return may(granted, cache, permission) ? undefined : 'AccessError';
}

function may(granted: ReadonlySet<Permission>, cache: LiveCache, permission: Permission): boolean {
  return granted.has(permission) || (cache.isPublic && permission === 'pull');
}
