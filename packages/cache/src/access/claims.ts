import { isCachePattern, PERMISSIONS, type Grant, type Permission } from './permissions.ts';

/** The claim that carries Attic's permissions in a JWT. */
export const ATTIC_CLAIM = 'https://jwt.attic.rs/v1';

/** What a valid token says. Times in seconds since the epoch. */
export interface Claims {
  readonly subject: string | undefined;
  readonly expiresAt: number | undefined;
  readonly notBefore: number | undefined;
  readonly issuedAt: number | undefined;
  readonly grants: readonly Grant[];
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

/** `nowSeconds` is compared without tolerance, as Attic does. */
export function areCurrent(claims: Claims, nowSeconds: number): boolean {
  const { expiresAt, notBefore, issuedAt } = claims;
  if (expiresAt !== undefined && nowSeconds > expiresAt) return false;
  if (notBefore !== undefined && nowSeconds < notBefore) return false;
  return issuedAt === undefined || nowSeconds >= issuedAt;
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
  if (subject !== undefined && typeof subject !== 'string') return undefined;
  return { subject, expiresAt, notBefore, issuedAt, grants };
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
