import { compactVerify } from 'jose';
import { lruCache, type Clock } from '@flywheel/base';
import { areCurrent, parseClaims, type ClaimRules, type Claims } from './claims.ts';
import type { TokenKey } from './token-key.ts';

/** Turns an Authorization header into the claims of a valid token, or into nothing. */
export interface Authenticator {
  /** Undefined for a missing, malformed, expired or badly signed token: the caller is anonymous. */
  authenticate(authorization: string | undefined): Promise<Claims | undefined>;
  /** The same answer at once, or `unknown` when a signature has to be checked for it. */
  recall(authorization: string | undefined): Claims | undefined | 'unknown';
}

// Far above any real token; a longer one would only cost CPU to reject.
const MAX_TOKEN_CHARACTERS = 16_384;
const REMEMBERED_TOKENS = 1000;
/** Few, and apart from the good ones: whoever sends rubbish only displaces rubbish. */
const REMEMBERED_REFUSALS = 100;

export function createAuthenticator(key: TokenKey, rules: ClaimRules, clock: Clock): Authenticator {
  // A CI job sends the same header thousands of times. What is remembered is that its signature was
  // good, and what it says; the times in it are compared on every use.
  const verified = lruCache<string, Claims>(REMEMBERED_TOKENS);
  const refused = lruCache<string, true>(REMEMBERED_REFUSALS);

  function isCurrent(claims: Claims): boolean {
    return areCurrent(claims, Math.floor(clock.now() / 1000));
  }

  function recall(authorization: string | undefined): Claims | undefined | 'unknown' {
    if (authorization === undefined) return undefined;
    const claims = verified.get(authorization);
    if (claims !== undefined) return isCurrent(claims) ? claims : undefined;
    return refused.get(authorization) === true ? undefined : 'unknown';
  }

  return {
    recall,
    async authenticate(authorization = '') {
      const known = recall(authorization);
      if (known !== 'unknown') return known;
      const token = tokenOf(authorization);
      if (token === undefined || token.length > MAX_TOKEN_CHARACTERS) return undefined;
      const payload = await verifySignature(token, key);
      const claims = payload === undefined ? undefined : parseClaims(payload, rules);
      if (claims === undefined) refused.set(authorization, true);
      else verified.set(authorization, claims);
      return claims !== undefined && isCurrent(claims) ? claims : undefined;
    },
  };
}

/**
 * The JWT in `Bearer <jwt>` or in the password of `Basic base64(user:jwt)`; the scheme in any case,
 * exactly one space. Nix sends Basic from a netrc that has no login.
 */
export function tokenOf(authorization: string | undefined): string | undefined {
  const match = /^(bearer|basic) (\S+)$/i.exec(authorization ?? '');
  if (match === null) return undefined;
  const [, scheme = '', rest = ''] = match;
  if (scheme.toLowerCase() === 'bearer') return rest;
  const decoded = Buffer.from(rest, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon === -1 ? undefined : decoded.slice(colon + 1);
}

async function verifySignature(token: string, key: TokenKey): Promise<string | undefined> {
  try {
    const { payload, protectedHeader } = await compactVerify(token, key.verify, {
      algorithms: [key.algorithm],
    });
    const type = protectedHeader.typ;
    if (type !== undefined && !/^(?:JWT|.*\+JWT)$/i.test(type)) return undefined;
    return Buffer.from(payload).toString('utf8');
  } catch {
    return undefined;
  }
}
