import { SignJWT } from 'jose';
import { FlywheelError } from '@flywheel/base';
import { ATTIC_CLAIM } from './claims.ts';
import { isCachePattern, PERMISSIONS, type Permission } from './permissions.ts';
import type { TokenKey } from './token-key.ts';

export interface TokenRequest {
  readonly subject: string;
  /** Seconds since the epoch. */
  readonly notBefore: number;
  readonly expiresAt: number;
  /** For each permission the patterns that get it, in order. */
  readonly patterns: Readonly<Partial<Record<Permission, readonly string[]>>>;
  readonly issuer?: string;
  readonly audiences?: readonly string[];
}

/** A signed token in Attic's format. Throws `invalid-input` on a bad pattern or nothing granted. */
export async function mintToken(key: TokenKey, request: TokenRequest): Promise<string> {
  if (key.sign === undefined) {
    throw new FlywheelError(
      'unsupported',
      'this server has only a public key and cannot sign tokens',
    );
  }
  const jwt = new SignJWT({ [ATTIC_CLAIM]: { caches: cachesClaim(request) } })
    .setProtectedHeader({ alg: key.algorithm, typ: 'JWT' })
    .setSubject(request.subject)
    .setNotBefore(request.notBefore)
    .setExpirationTime(request.expiresAt);
  if (request.issuer !== undefined) jwt.setIssuer(request.issuer);
  if (request.audiences !== undefined) jwt.setAudience([...request.audiences]);
  return jwt.sign(key.sign);
}

/** The `caches` object, its patterns in the order in which the permissions first name them. */
function cachesClaim({ patterns }: TokenRequest): Record<string, Record<string, 1>> {
  const caches: Record<string, Record<string, 1>> = {};
  for (const permission of Object.keys(PERMISSIONS) as Permission[]) {
    for (const pattern of patterns[permission] ?? []) {
      if (!isCachePattern(pattern)) {
        throw new FlywheelError(
          'invalid-input',
          `"${pattern}" is not a cache name or pattern: up to 50 of A-Z a-z 0-9 - _ + and *`,
        );
      }
      caches[pattern] ??= {};
      caches[pattern][PERMISSIONS[permission]] = 1;
    }
  }
  if (Object.keys(caches).length === 0) {
    throw new FlywheelError('invalid-input', 'a token that grants nothing is of no use', {
      details: { hint: 'name at least one permission, for instance --pull CACHE' },
    });
  }
  return caches;
}
