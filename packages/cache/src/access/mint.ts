import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { FlywheelError } from '@flywheel/base';
import { ATTIC_CLAIM, FLYWHEEL_CLAIM, type TokenLimits } from './claims.ts';
import { isCachePattern, PERMISSIONS, type Grant, type Permission } from './permissions.ts';
import type { TokenKey } from './token-key.ts';

export interface TokenRequest {
  /** See `newTokenId`; without one the token can only be revoked with all others of its subject. */
  readonly id?: string;
  readonly subject: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** In order: the first that matches decides. */
  readonly grants: readonly Grant[];
  readonly mayMint?: boolean;
  readonly limits?: TokenLimits;
}

/** A name for a token that nobody can guess, and that says nothing. */
export function newTokenId(): string {
  return randomBytes(12).toString('base64url');
}

/** A signed token in Attic's format. Throws `invalid-input` on a bad pattern or nothing granted. */
export async function mintToken(key: TokenKey, request: TokenRequest): Promise<string> {
  if (key.sign === undefined) {
    throw new FlywheelError('unsupported', `the token key ${key.kid} only verifies`);
  }
  const { sub, iat, nbf, exp, jti, ...claims } = tokenClaims(request);
  const jwt = new SignJWT(claims)
    .setProtectedHeader({ alg: key.algorithm, typ: 'JWT', kid: key.kid })
    .setSubject(sub)
    .setIssuedAt(iat)
    .setNotBefore(nbf)
    .setExpirationTime(exp);
  if (jti !== undefined) jwt.setJti(jti);
  return jwt.sign(key.sign);
}

/** What the token says, as it stands in the JWT. */
export function tokenClaims(request: TokenRequest) {
  const { id, subject, issuedAt, expiresAt, mayMint, limits = {} } = request;
  const { requestsPerSecond, uploadBytesPerSecond } = limits;
  const own = {
    ...(mayMint === true ? { mint: 1 } : {}),
    ...(requestsPerSecond === undefined ? {} : { requests_per_second: requestsPerSecond }),
    ...(uploadBytesPerSecond === undefined
      ? {}
      : { upload_bytes_per_second: uploadBytesPerSecond }),
  };
  return {
    [ATTIC_CLAIM]: { caches: cachesClaim(request.grants) },
    ...(Object.keys(own).length === 0 ? {} : { [FLYWHEEL_CLAIM]: own }),
    sub: subject,
    iat: issuedAt,
    nbf: issuedAt,
    exp: expiresAt,
    ...(id === undefined ? {} : { jti: id }),
  };
}

/** The patterns with what they get, in the order in which the permissions first name them. */
export function grantsOf(
  patterns: Readonly<Partial<Record<Permission, readonly string[]>>>,
): readonly Grant[] {
  const grants = new Map<string, Set<Permission>>();
  for (const permission of Object.keys(PERMISSIONS) as Permission[]) {
    for (const pattern of patterns[permission] ?? []) {
      const granted = grants.get(pattern) ?? new Set();
      grants.set(pattern, granted.add(permission));
    }
  }
  return [...grants].map(([pattern, permissions]) => ({ pattern, permissions }));
}

/** The `caches` object of the claim. */
function cachesClaim(grants: readonly Grant[]): Readonly<Record<string, Record<string, 1>>> {
  const caches: Record<string, Record<string, 1>> = {};
  for (const { pattern, permissions } of grants) {
    if (!isCachePattern(pattern)) {
      throw new FlywheelError(
        'invalid-input',
        `"${pattern}" is not a cache name or pattern: up to 50 of A-Z a-z 0-9 - _ + and *`,
      );
    }
    const letters = [...permissions].map((permission) => [PERMISSIONS[permission], 1] as const);
    caches[pattern] = Object.fromEntries(letters);
  }
  if (Object.values(caches).every((letters) => Object.keys(letters).length === 0)) {
    throw new FlywheelError('invalid-input', 'a token that grants nothing is of no use', {
      details: { hint: 'name at least one permission, for instance --pull CACHE' },
    });
  }
  return caches;
}
