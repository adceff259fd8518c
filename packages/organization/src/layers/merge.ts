import type { Entry, ListNode, MapNode, Node } from './node.ts';
import { fieldOf } from './node.ts';

/** The field by which the items of the list at `path` are told apart; undefined where none is. */
export type MergeKeyOf = (path: readonly string[]) => string | undefined;

/**
 * What `lower` and then `upper` say together:
 *
 * - a map is merged key by key;
 * - a list whose items have a key field is merged item by item, new ones at its end;
 * - everything else comes instead of what was there;
 * - `$replace` lets a map or such a list come instead, too, and `$delete` takes away what was there.
 *
 * Marks stay in the result, so that it does not matter which two of several layers are merged
 * first; `finish` carries them out.
 */
export function merge(
  lower: Node | undefined,
  upper: Node,
  mergeKeyOf: MergeKeyOf,
  path: readonly string[] = [],
): Node {
  if (lower === undefined) return upper;
  if (upper.kind === 'map' && upper.mark === undefined) {
    if (lower.kind !== 'map' || lower.mark === 'delete') return insteadOf(lower, upper);
    return mergeMaps(lower, upper, mergeKeyOf, path);
  }
  const mergeKey = upper.kind === 'list' ? mergeKeyOf(path) : undefined;
  if (upper.kind === 'list' && upper.mark === undefined && mergeKey !== undefined) {
    if (lower.kind !== 'list') return insteadOf(lower, upper);
    return mergeLists(lower, upper, mergeKey, mergeKeyOf, path);
  }
  return { ...upper, shadowed: lower };
}

function insteadOf(lower: Node, upper: MapNode | ListNode): Node {
  return { ...upper, mark: 'replace', shadowed: lower };
}

function mergeMaps(
  lower: MapNode,
  upper: MapNode,
  mergeKeyOf: MergeKeyOf,
  path: readonly string[],
): MapNode {
  const entries = new Map<string, Entry>(lower.entries);
  for (const [key, { key: origin, value }] of upper.entries) {
    const below = lower.entries.get(key)?.value;
    entries.set(key, { key: origin, value: merge(below, value, mergeKeyOf, [...path, key]) });
  }
  return { ...lower, origin: upper.origin, entries, shadowed: lower };
}

function mergeLists(
  lower: ListNode,
  upper: ListNode,
  mergeKey: string,
  mergeKeyOf: MergeKeyOf,
  path: readonly string[],
): ListNode {
  const items = [...lower.items];
  for (const item of upper.items) {
    const name = fieldOf(item, mergeKey);
    const index = items.findIndex(
      (other) => name !== undefined && fieldOf(other, mergeKey) === name,
    );
    const below = index < 0 ? undefined : items[index];
    const merged = merge(below, item, mergeKeyOf, [...path, '*']);
    if (index < 0) items.push(merged);
    else items[index] = merged;
  }
  return { ...lower, origin: upper.origin, items, shadowed: lower };
}
