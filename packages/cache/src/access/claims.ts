import { isCachePattern, PERMISSIONS, type Grant, type Permission } from './permissions.ts';

/** The claim that carries Attic's permissions in a JWT. */
export const ATTIC_CLAIM = 'https://jwt.attic.rs/v1';

/** Our own claim beside it; Attic's server ignores it. */
export const FLYWHEEL_CLAIM = 'flywheel';

/** What a valid token says. Times in seconds since the epoch. */
export interface Claims {
  /** The token's own name, by which it can be revoked; Attic's tools write none. */
  readonly id: string | undefined;
  readonly subject: string | undefined;
  readonly expiresAt: number | undefined;
  readonly notBefore: number | undefined;
  readonly issuedAt: number | undefined;
  readonly grants: readonly Grant[];
  /** Whether it may be used to make tokens that may less. */
  readonly mayMint: boolean;
  /** Bounds for this token instead of the server's. */
  readonly limits: TokenLimits;
}

/** Undefined: as the server says. */
export interface TokenLimits {
  readonly requestsPerSecond?: number | undefined;
  readonly uploadBytesPerSecond?: number | undefined;
}

export interface ClaimRules {
  /** Required issuer, when set. */
  readonly issuer?: string;
  /** The token's audience must intersect these, when set. */
  readonly audiences?: readonly string[];
}

const LETTERS = new Map<string, Permission>(
  (Object.entries(PERMISSIONS) as [Permission, string][]).map(([name, letter]) => [letter, name]),
);

/**
 * Reads a JWT payload whose signature has been verified. Undefined when anything about it makes the
 * token worthless at this time.
 */
export function readClaims(
  payload: string,
  rules: ClaimRules,
  nowSeconds: number,
): Claims | undefined {
  const claims = parseClaims(payload, rules);
  return claims !== undefined && areCurrent(claims, nowSeconds) ? claims : undefined;
}

/**
 * How far the clock of whoever signed may be ahead of ours: a token is used on another replica in the
 * second in which it was made. Attic has no tolerance.
 */
export const CLOCK_TOLERANCE_SECONDS = 60;

/** Expiry is compared without tolerance. */
export function areCurrent(claims: Claims, nowSeconds: number): boolean {
  return !hasExpired(claims, nowSeconds) && validFrom(claims) <= nowSeconds;
}

export function hasExpired({ expiresAt }: Claims, nowSeconds: number): boolean {
  return expiresAt !== undefined && nowSeconds > expiresAt;
}

/** In seconds since the epoch, the tolerance taken off. */
export function validFrom({ notBefore = 0, issuedAt = 0 }: Claims): number {
  return Math.max(notBefore, issuedAt) - CLOCK_TOLERANCE_SECONDS;
}

/** The same at any time: what it says of its validity is not compared with the clock. */
export function parseClaims(payload: string, rules: ClaimRules): Claims | undefined {
  let root: Fields | undefined;
  try {
    root = fieldsOf(JSON.parse(markKeys(payload)));
  } catch {
    return undefined;
  }
  if (root === undefined) return undefined;
  const expiresAt = optionalNumber(root.get('exp'));
  const notBefore = optionalNumber(root.get('nbf'));
  const issuedAt = optionalNumber(root.get('iat'));
  if (expiresAt === null || notBefore === null || issuedAt === null) return undefined;
  if (rules.issuer !== undefined && root.get('iss') !== rules.issuer) return undefined;
  if (rules.audiences !== undefined && !intersects(root.get('aud'), rules.audiences)) {
    return undefined;
  }
  const grants = readGrants(root.get(ATTIC_CLAIM));
  if (grants === undefined) return undefined;
  const subject = root.get('sub');
  const id = root.get('jti');
  if (!isOptionalName(subject) || !isOptionalName(id)) return undefined;
  const own = readOwnClaim(root.get(FLYWHEEL_CLAIM));
  if (own === undefined) return undefined;
  return { id, subject, expiresAt, notBefore, issuedAt, grants, ...own };
}

function readOwnClaim(claim: unknown): Pick<Claims, 'mayMint' | 'limits'> | undefined {
  if (claim === undefined) return { mayMint: false, limits: {} };
  const fields = fieldsOf(claim);
  if (fields === undefined) return undefined;
  const requestsPerSecond = optionalNumber(fields.get('requests_per_second'));
  const uploadBytesPerSecond = optionalNumber(fields.get('upload_bytes_per_second'));
  if (!isOptionalRate(requestsPerSecond) || !isOptionalRate(uploadBytesPerSecond)) return undefined;
  return {
    mayMint: fields.get('mint') === 1,
    limits: { requestsPerSecond, uploadBytesPerSecond },
  };
}

/** PostgreSQL takes no NUL in a text, and nobody has names of a kilobyte. */
function isOptionalName(value: unknown): value is string | undefined {
  if (value === undefined) return true;
  return typeof value === 'string' && value.length <= 1024 && !value.includes('\0');
}

function isOptionalRate(value: number | undefined | null): value is number | undefined {
  return value !== null && (value === undefined || value > 0);
}

function readGrants(claim: unknown): readonly Grant[] | undefined {
  const caches = fieldsOf(fieldsOf(claim)?.get('caches'));
  if (caches === undefined) return undefined;
  const grants: Grant[] = [];
  for (const [pattern, letters] of caches) {
    const fields = fieldsOf(letters);
    if (!isCachePattern(pattern) || fields === undefined) return undefined;
    const permissions = new Set<Permission>();
    for (const [letter, value] of fields) {
      const permission = LETTERS.get(letter);
      if (permission === undefined) continue;
      // Exactly the integers 0 and 1: `true` or 2 make the whole token invalid, as on Attic.
      if (value !== 0 && value !== 1) return undefined;
      if (value === 1) permissions.add(permission);
    }
    grants.push({ pattern, permissions });
  }
  return grants;
}

// The order of patterns decides (see permissionsFor), but a JavaScript object moves keys that look
// like integers ("123" is a legal cache name) to the front. A mark before each key prevents that.

type Fields = ReadonlyMap<string, unknown>;

function markKeys(json: string): string {
  return json.replaceAll(/"((?:[^"\\]|\\.)*)"(\s*:)?/g, (whole, text: string, colon?: string) =>
    colon === undefined ? whole : `"~${text}"${colon}`,
  );
}

function fieldsOf(value: unknown): Fields | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value).map(([key, field]) => [key.slice(1), field]));
}

/** Undefined when absent, null when it is not a number. */
function optionalNumber(value: unknown): number | undefined | null {
  if (value === undefined) return undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function intersects(audience: unknown, allowed: readonly string[]): boolean {
  const given: unknown[] = Array.isArray(audience) ? audience : [audience];
  return given.some((one) => typeof one === 'string' && allowed.includes(one));
}
