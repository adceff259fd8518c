import { formatDuration } from '@flywheel/base';
import { CLOCK_TOLERANCE_SECONDS, hasExpired, validFrom, type Claims } from './claims.ts';

/** Why a token that somebody sent counts as none. */
export interface TokenFault {
  readonly reason: 'malformed' | 'unknown-key' | 'claims' | 'expired' | 'not-yet-valid' | 'revoked';
  /** For who sent it: a sentence about the token, never about what was asked for. */
  readonly message: string;
}

export const MALFORMED: TokenFault = {
  reason: 'malformed',
  message:
    'The Authorization header holds no token: send "Bearer TOKEN", or the token as the password of Basic.',
};

export const UNKNOWN_KEY: TokenFault = {
  reason: 'unknown-key',
  message: 'The token is not signed by a key of this server.',
};

export const BAD_CLAIMS: TokenFault = {
  reason: 'claims',
  message:
    "The token is signed by this server's key, but its claims are not those of a cache token.",
};

export const REVOKED: TokenFault = { reason: 'revoked', message: 'The token has been revoked.' };

/** What the times in the token make of it now. */
export function faultOfTimes(claims: Claims, nowMs: number): TokenFault | undefined {
  const now = Math.floor(nowMs / 1000);
  if (hasExpired(claims, now)) {
    const ago = formatDuration(nowMs - (claims.expiresAt ?? 0) * 1000);
    return { reason: 'expired', message: `The token expired ${ago} ago.` };
  }
  if (validFrom(claims) <= now) return undefined;
  const wait = formatDuration((validFrom(claims) + CLOCK_TOLERANCE_SECONDS) * 1000 - nowMs);
  return {
    reason: 'not-yet-valid',
    message: `The token is not valid before ${wait} from now; are the clocks right?`,
  };
}
