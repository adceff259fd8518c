import type { Claims } from '../access/claims.ts';
import { isAdministrator } from '../access/covers.ts';
import { claimsOf, unauthorized } from './authorize.ts';
import type { ApiContext } from './context.ts';
import { wireError } from './error-response.ts';
import type { ApiParts } from './parts.ts';

/** Somebody with a good token. */
export interface Caller {
  readonly claims: Claims;
  readonly isAdministrator: boolean;
}

/** Throws 401 for anybody without a good token. */
export async function callerOf(parts: ApiParts, c: ApiContext): Promise<Caller> {
  const claims = await claimsOf(parts, c);
  if (claims === undefined) throw await unauthorized(parts, c);
  return { claims, isAdministrator: isAdministrator(claims.grants) };
}

/** Throws 403 for anybody but an administrator: whoever may do everything with every cache. */
export async function requireAdministrator(parts: ApiParts, c: ApiContext): Promise<Caller> {
  const caller = await callerOf(parts, c);
  if (!caller.isAdministrator) throw wireError('AccessError', "only an administrator's token may");
  return caller;
}
