/** What a token may do with a cache. The letters are Attic's, as they stand in the JWT. */
export const PERMISSIONS = {
  pull: 'r',
  push: 'w',
  delete: 'd',
  createCache: 'cc',
  configureCache: 'cr',
  configureCacheRetention: 'cq',
  destroyCache: 'cd',
} as const;

export type Permission = keyof typeof PERMISSIONS;

/** One pattern of a token and what it grants. */
export interface Grant {
  readonly pattern: string;
  readonly permissions: ReadonlySet<Permission>;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9\-_+]{0,49}$/;
const PATTERN = /^[A-Za-z0-9*][A-Za-z0-9\-_+*]{0,49}$/;

export function isCacheName(text: string): boolean {
  return NAME.test(text);
}

export function isCachePattern(text: string): boolean {
  return PATTERN.test(text);
}

/** `*` matches any run of characters, none included; everything else itself, case-sensitively. */
export function matchesPattern(pattern: string, name: string): boolean {
  // Linear matching with one step of backtracking: a regular expression made from `*a*a*a…` would
  // let a token's author make every request of that token slow.
  let p = 0;
  let n = 0;
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p;
      resume = n;
      p += 1;
    } else if (pattern[p] === name[n]) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      resume += 1;
      n = resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

const NONE: ReadonlySet<Permission> = new Set();

/**
 * The permissions for one cache: an exact name wins outright, else the first pattern that matches
 * in the order of the token. Patterns are not merged (Attic's rule, kept so that a token means the
 * same on both servers).
 */
export function permissionsFor(grants: readonly Grant[], cache: string): ReadonlySet<Permission> {
  const exact = grants.find((grant) => grant.pattern === cache);
  const grant = exact ?? grants.find(({ pattern }) => matchesPattern(pattern, cache));
  return grant?.permissions ?? NONE;
}
