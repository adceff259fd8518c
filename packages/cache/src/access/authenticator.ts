import { lruCache, type Clock } from '@flywheel/base';
import { tokenOf } from './authorization-header.ts';
import { areCurrent, parseClaims, type ClaimRules, type Claims } from './claims.ts';
import type { KeyRing } from './key-ring.ts';
import {
  BAD_CLAIMS,
  faultOfTimes,
  MALFORMED,
  REVOKED,
  UNKNOWN_KEY,
  type TokenFault,
} from './token-fault.ts';
import { verifySignature } from './verify-signature.ts';

/** Turns an Authorization header into the claims of a valid token, or into nothing. */
export interface Authenticator {
  /** Undefined for a missing, malformed, expired, revoked or badly signed token: anonymous. */
  authenticate(authorization: string | undefined): Promise<Claims | undefined>;
  /** The same answer at once, or `unknown` when a signature has to be checked for it. */
  recall(authorization: string | undefined): Claims | undefined | 'unknown';
  /** Why what was sent counts as none; undefined for a good token, and for none at all. */
  faultOf(authorization: string | undefined): Promise<TokenFault | undefined>;
  /** Something was revoked here: every token is looked up anew. */
  forget(): void;
}

export interface AuthenticatorParts {
  /** The keys of the moment. */
  readonly keys: () => KeyRing;
  /** Whether the token is revoked; asked again for each token every `recheckMs`. */
  readonly isRevoked: (claims: Claims) => Promise<boolean>;
  readonly recheckMs: number;
  readonly rules?: ClaimRules;
  readonly clock: Clock;
}

const REMEMBERED_TOKENS = 1000;
/** Few, and apart from the good ones: whoever sends rubbish only displaces rubbish. */
const REMEMBERED_REFUSALS = 100;

interface Verified {
  readonly claims: Claims;
  /** Until when it counts as not revoked without asking. */
  readonly until: number;
}

type Verdict = { readonly claims: Claims } | { readonly fault: TokenFault };

export function createAuthenticator(parts: AuthenticatorParts): Authenticator {
  const { keys, isRevoked, recheckMs, rules = {}, clock } = parts;
  // A CI job sends the same header thousands of times. What is remembered is that its signature was
  // good, and what it says; the times in it are compared on every use.
  const verified = lruCache<string, Verified>(REMEMBERED_TOKENS);
  const refused = lruCache<string, TokenFault>(REMEMBERED_REFUSALS);
  let ring = keys();
  // What was begun before everything was forgotten must not be remembered after it.
  let generation = 0;

  function forget(): void {
    generation += 1;
    verified.clear();
    refused.clear();
  }

  /** What is remembered was verified with these keys; with others it says nothing. */
  function followKeys(): void {
    const current = keys();
    if (current === ring) return;
    ring = current;
    forget();
  }

  function isCurrent(claims: Claims): boolean {
    return areCurrent(claims, Math.floor(clock.now() / 1000));
  }

  function recall(authorization: string | undefined): Claims | undefined | 'unknown' {
    if (authorization === undefined) return undefined;
    followKeys();
    const known = verified.get(authorization);
    if (known === undefined)
      return refused.get(authorization) === undefined ? 'unknown' : undefined;
    if (!isCurrent(known.claims)) return undefined;
    return clock.now() < known.until ? known.claims : 'unknown';
  }

  async function examine(authorization: string): Promise<Verdict> {
    const begun = generation;
    const known = verified.get(authorization);
    const claims = known?.claims ?? (await verify(authorization));
    if ('reason' in claims) return refuse(authorization, claims, begun);
    const fault = faultOfTimes(claims, clock.now());
    if (fault !== undefined) return { fault };
    if (known !== undefined && clock.now() < known.until) return { claims };
    const until = clock.now() + recheckMs;
    if (await isRevoked(claims)) {
      verified.delete(authorization);
      return refuse(authorization, REVOKED, begun);
    }
    if (generation === begun) verified.set(authorization, { claims, until });
    return { claims };
  }

  function refuse(authorization: string, fault: TokenFault, begun: number): Verdict {
    if (generation === begun) refused.set(authorization, fault);
    return { fault };
  }

  async function verify(authorization: string): Promise<Claims | TokenFault> {
    const token = tokenOf(authorization);
    if (token === undefined) return MALFORMED;
    const payload = await verifySignature(token, ring);
    if (payload === undefined) return UNKNOWN_KEY;
    return parseClaims(payload, rules) ?? BAD_CLAIMS;
  }

  return {
    recall,
    forget,
    async authenticate(authorization) {
      const known = recall(authorization);
      if (known !== 'unknown') return known;
      const verdict = await examine(authorization as string);
      return 'claims' in verdict ? verdict.claims : undefined;
    },
    async faultOf(authorization) {
      if (authorization === undefined) return undefined;
      followKeys();
      const known = refused.get(authorization);
      if (known !== undefined) return known;
      const verdict = await examine(authorization);
      return 'fault' in verdict ? verdict.fault : undefined;
    },
  };
}
