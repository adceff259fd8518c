import type { Origin } from '../source.ts';

/**
 * A value of YAML that knows where it stands. `mark` says how it meets what a lower layer has in
 * its place: it is merged into that, comes instead of it, or only takes it away.
 */
export type Node = ScalarNode | ListNode | MapNode;

interface NodeBase {
  readonly origin: Origin;
  /** What a lower layer had said here. */
  readonly shadowed?: Node;
}

export interface ScalarNode extends NodeBase {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
}

export interface ListNode extends NodeBase {
  readonly kind: 'list';
  readonly items: readonly Node[];
  readonly mark?: 'replace';
}

export interface MapNode extends NodeBase {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly mark?: 'replace' | 'delete';
}

export interface Entry {
  readonly key: Origin;
  readonly value: Node;
}

/** Keys of maps, and positions in lists. */
export type Path = readonly (string | number)[];

/** The value of a node as plain data. */
export function toPlain(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toPlain);
  const entries = [...node.entries].map(([key, { value }]) => [key, toPlain(value)] as const);
  return Object.fromEntries(entries);
}

/** What stands at `path`, with its key; undefined when nothing does. */
export function findNode(
  root: Node,
  path: Path,
): { readonly node: Node; readonly key?: Origin } | undefined {
  let found: { readonly node: Node; readonly key?: Origin } = { node: root };
  for (const step of path) {
    const { node } = found;
    if (node.kind === 'list' && typeof step === 'number') {
      const item = node.items[step];
      if (item === undefined) return undefined;
      found = { node: item };
    } else if (node.kind === 'map') {
      const entry = node.entries.get(String(step));
      if (entry === undefined) return undefined;
      found = { node: entry.value, key: entry.key };
    } else {
      return undefined;
    }
  }
  return found;
}

/** Where a list's item says `field`, as text; undefined for an item without it. */
export function fieldOf(item: Node, field: string): string | undefined {
  const value = item.kind === 'map' ? item.entries.get(field)?.value : undefined;
  return value?.kind === 'scalar' && value.value !== null ? String(value.value) : undefined;
}
