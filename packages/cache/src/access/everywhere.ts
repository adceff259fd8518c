import type { Grant, Permission } from './permissions.ts';

/**
 * Whether a token may do this in the whole store: it has an entry that is just `*` and grants it.
 * What concerns all caches at once, such as a run of maintenance, asks for no more: another entry
 * that says less of one cache is about what is in that cache.
 */
export function mayEverywhere(grants: readonly Grant[], permission: Permission): boolean {
  return grants.some((grant) => grant.pattern === '*' && grant.permissions.has(permission));
}
