import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose';
import { formatDuration } from '@flywheel/base';
import type { IdTokenClaims } from './choose-rule.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import type { ExchangePolicy, TrustedIssuer } from './policy.ts';

export interface TrustedIdToken {
  readonly issuer: TrustedIssuer;
  readonly claims: IdTokenClaims;
}

/** For who holds the token: which check it failed. */
export interface IdTokenRefusal {
  readonly refused: string;
}

/** How far the clocks of the issuer and ours may be apart. */
const TOLERANCE_SECONDS = 60;
const MAX_CHARACTERS = 16_384;

/**
 * The claims of an ID token, when a trusted issuer has made it, for us, and it is valid now. Throws
 * `unavailable` when the issuer's keys cannot be read.
 */
export async function verifyIdToken(
  token: string,
  policy: ExchangePolicy,
  keysOf: (issuer: TrustedIssuer) => IssuerKeys,
  nowMs: number,
): Promise<TrustedIdToken | IdTokenRefusal> {
  const said = token.length > MAX_CHARACTERS ? undefined : unverified(token);
  if (said === undefined) return { refused: 'it is not a JWT' };
  const issuer = policy.issuers.find((each) => each.issuer === said.issuer);
  if (issuer === undefined) {
    return { refused: `iss: this server trusts no issuer ${quoted(said.issuer)}` };
  }
  const claims = await verified(token, said, keysOf(issuer));
  if (claims === undefined) {
    return { refused: `signature: it is not signed by a key that ${issuer.issuer} publishes` };
  }
  const refused = problemOf(claims, issuer, nowMs / 1000);
  return refused === undefined ? { issuer, claims } : { refused };
}

interface Unverified {
  readonly issuer: unknown;
  readonly alg: unknown;
  readonly kid: unknown;
}

/** What decides where its key is looked for, and nothing else. */
function unverified(token: string): Unverified | undefined {
  try {
    const { alg, kid } = decodeProtectedHeader(token) as { alg?: unknown; kid?: unknown };
    return { issuer: decodeJwt(token)['iss'], alg, kid };
  } catch {
    return undefined;
  }
}

async function verified(
  token: string,
  { alg, kid }: Unverified,
  keys: IssuerKeys,
): Promise<IdTokenClaims | undefined> {
  for (const key of await keys.candidates(alg, kid)) {
    try {
      await compactVerify(token, key.verify, { algorithms: [key.algorithm] });
      return decodeJwt(token);
    } catch {
      // Not this key: another may have signed it.
    }
  }
  return undefined;
}

function problemOf(
  { aud, exp, nbf, iat }: IdTokenClaims,
  { audiences }: TrustedIssuer,
  now: number,
): string | undefined {
  const given: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!given.some((each) => typeof each === 'string' && audiences.includes(each))) {
    return `aud: it is for ${quoted(aud)}; ask GitLab for one for ${audiences.join(' or ')}`;
  }
  if (typeof exp !== 'number') return 'exp: it has no time at which it expires';
  if (now > exp + TOLERANCE_SECONDS) {
    return `exp: it expired ${formatDuration((now - exp) * 1000)} ago`;
  }
  for (const [name, value] of Object.entries({ nbf, iat })) {
    if (value === undefined) continue;
    if (typeof value !== 'number') return `${name}: it is not a number`;
    if (now < value - TOLERANCE_SECONDS) {
      return `${name}: it is valid only ${formatDuration((value - now) * 1000)} from now; are the clocks right?`;
    }
  }
  return undefined;
}

function quoted(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 200);
}
