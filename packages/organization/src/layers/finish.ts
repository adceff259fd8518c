import type { Entry, Node, Path } from './node.ts';

/** A `$delete` with nothing below it: most likely its key is mistyped. */
export interface UnmetDelete {
  readonly node: Node;
  readonly path: Path;
}

export interface Finished<N extends Node> {
  readonly node: N;
  readonly unmet: readonly UnmetDelete[];
}

/** Carries out the marks of merged layers: no node of the result has one. */
export function finish<N extends Node>(node: N): Finished<N> {
  const unmet: UnmetDelete[] = [];
  return { node: withoutMarks(node, [], unmet) as N, unmet };
}

function withoutMarks(node: Node, path: Path, unmet: UnmetDelete[]): Node {
  if (node.kind === 'scalar') return node;
  const { mark: _, ...unmarked } = node;
  if (unmarked.kind === 'list') {
    const items = unmarked.items
      .filter((item, index) => stays(item, [...path, index], unmet))
      .map((item, index) => withoutMarks(item, [...path, index], unmet));
    return { ...unmarked, items };
  }
  const entries = new Map<string, Entry>();
  for (const [key, { key: origin, value }] of unmarked.entries) {
    const inner = [...path, key];
    if (!stays(value, inner, unmet)) continue;
    entries.set(key, { key: origin, value: withoutMarks(value, inner, unmet) });
  }
  return { ...unmarked, entries };
}

function stays(node: Node, path: Path, unmet: UnmetDelete[]): boolean {
  if (node.kind !== 'map' || node.mark !== 'delete') return true;
  if (node.shadowed === undefined) unmet.push({ node, path });
  return false;
}
