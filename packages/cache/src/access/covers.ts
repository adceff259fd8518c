import type { Grant, Permission } from './permissions.ts';
import { matchesPattern, PERMISSIONS } from './permissions.ts';

const ALL = Object.keys(PERMISSIONS) as Permission[];

/** Whether these grants allow everything with every cache: those of an administrator. */
export function isAdministrator(grants: readonly Grant[]): boolean {
  return (
    grants.some(({ pattern }) => pattern === '*') &&
    grants.every(({ permissions }) => ALL.every((permission) => permissions.has(permission)))
  );
}

/**
 * Whether `wanted` allows nothing that `held` does not. Errs on the side of no: where a grant of
 * `held` may decide for some of the names of a pattern, it must allow all that the pattern gets.
 */
export function coversAll(held: readonly Grant[], wanted: readonly Grant[]): boolean {
  return wanted.every((grant) => covers(held, grant));
}

function covers(held: readonly Grant[], wanted: Grant): boolean {
  if (wanted.permissions.size === 0) return true;
  const allows = (grant: Grant): boolean => wanted.permissions.isSubsetOf(grant.permissions);
  // An exact name decides wherever it stands.
  const exact = held.filter(({ pattern }) => !pattern.includes('*'));
  const named = exact.filter(({ pattern }) => matchesPattern(wanted.pattern, pattern));
  if (!named.every(allows)) return false;
  if (named.some(({ pattern }) => pattern === wanted.pattern)) return true;
  for (const grant of held) {
    if (!grant.pattern.includes('*') || !overlap(grant.pattern, wanted.pattern)) continue;
    if (!allows(grant)) return false;
    // A star of `wanted` is a letter like others here, and only a star of ours matches it. Whoever
    // matches it so matches all that it stands for, and nobody comes after.
    if (matchesPattern(grant.pattern, wanted.pattern)) return true;
  }
  return false;
}

/** Whether some name matches both patterns. */
function overlap(one: string, other: string): boolean {
  // reach[j]: whether the part of `one` read so far and the first j of `other` have a name in common.
  let reach = [true];
  for (let j = 1; j <= other.length; j += 1) {
    reach[j] = reach[j - 1] === true && other[j - 1] === '*';
  }
  for (const letter of one) {
    const next = [letter === '*' && reach[0] === true];
    for (let j = 1; j <= other.length; j += 1) {
      const against = other[j - 1];
      next[j] =
        letter === '*' || against === '*'
          ? reach[j] === true || next[j - 1] === true
          : letter === against && reach[j - 1] === true;
    }
    reach = next;
  }
  return reach[other.length] === true;
}
