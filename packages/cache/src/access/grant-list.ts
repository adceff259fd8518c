import { z } from 'zod';
import { isCachePattern, type Grant, type Permission } from './permissions.ts';

/** Permissions as people write them: as the flags of the command line. */
export const PERMISSION_WORDS = {
  pull: 'pull',
  push: 'push',
  delete: 'delete',
  'create-cache': 'createCache',
  'configure-cache': 'configureCache',
  'configure-cache-retention': 'configureCacheRetention',
  'destroy-cache': 'destroyCache',
} as const satisfies Readonly<Record<string, Permission>>;

type Word = keyof typeof PERMISSION_WORDS;
const WORDS = Object.keys(PERMISSION_WORDS) as [Word, ...Word[]];

/**
 * Grants in a policy or a request: a list, because their order decides, and the keys of an object
 * have none that can be relied on.
 */
export const GrantList = z
  .array(
    z.strictObject({
      cache: z.string().refine(isCachePattern, 'must be the name of a cache, or a pattern with *'),
      allow: z.array(z.enum(WORDS)).min(1),
    }),
  )
  .min(1)
  .max(200);

/** As in GrantList. */
export interface WrittenGrant {
  readonly cache: string;
  readonly allow: readonly Word[];
}

export function parseGrants(list: readonly WrittenGrant[]): readonly Grant[] {
  return list.map(({ cache, allow }) => ({
    pattern: cache,
    permissions: new Set(allow.map((word) => PERMISSION_WORDS[word])),
  }));
}

export function formatGrants(grants: readonly Grant[]): readonly WrittenGrant[] {
  return grants.map(({ pattern, permissions }) => ({
    cache: pattern,
    allow: WORDS.filter((word) => permissions.has(PERMISSION_WORDS[word])),
  }));
}
