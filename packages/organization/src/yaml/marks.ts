import type { Issue } from '../issue.ts';
import { formatKeyPath } from '../key-path.ts';
import type { Entry, ListNode, MapNode, Node, Path } from '../layers/node.ts';

const DELETE = '$delete';
const REPLACE = '$replace';

export interface Marked<N extends Node = Node> {
  readonly node: N;
  readonly issues: readonly Issue[];
}

/** Turns the keys `$delete` and `$replace` of a file into marks of the nodes that they are in. */
export function readMarks(root: MapNode): Marked<MapNode> {
  const issues: Issue[] = [];
  const { mark, ...node } = markMap(root, [], issues);
  if (mark !== undefined) issues.push(problem(`${wordOf(mark)} has no meaning here`, node, []));
  return { node, issues };
}

function markNode(node: Node, path: Path, issues: Issue[]): Node {
  if (node.kind === 'map') return markMap(node, path, issues);
  if (node.kind === 'list') return markList(node, path, issues);
  return node;
}

function markMap(map: MapNode, path: Path, issues: Issue[]): MapNode {
  const entries = new Map<string, Entry>();
  let mark: MapNode['mark'];
  for (const [name, { key, value }] of map.entries) {
    if (name !== DELETE && name !== REPLACE) {
      entries.set(name, { key, value: markNode(value, [...path, name], issues) });
    } else if (value.kind !== 'scalar' || value.value !== true) {
      issues.push(problem(`${name} is always true`, value, path, 'Write true, or remove the key.'));
    } else {
      mark = name === DELETE ? 'delete' : 'replace';
    }
  }
  // In a list, the field that says which item goes stays beside $delete.
  const others = typeof path.at(-1) === 'number' ? entries.size - 1 : entries.size;
  // Of the whole file, it has no meaning anyway.
  if (mark === 'delete' && others > 0 && path.length > 0) {
    const message = `${formatKeyPath(path)} is deleted, and has other keys`;
    issues.push(problem(message, map, path, 'Use $replace: true to set something else instead.'));
  }
  return { ...map, entries, ...(mark === undefined ? {} : { mark }) };
}

/** A list is replaced when its first item is `$replace: true`. */
function markList(list: ListNode, path: Path, issues: Issue[]): ListNode {
  const items = list.items.map((item, index) => markNode(item, [...path, index], issues));
  const [first] = items;
  const replaces = first?.kind === 'map' && first.mark === 'replace' && first.entries.size === 0;
  return replaces ? { ...list, items: items.slice(1), mark: 'replace' } : { ...list, items };
}

function wordOf(mark: 'delete' | 'replace'): string {
  return mark === 'delete' ? DELETE : REPLACE;
}

function problem(message: string, { origin }: Node, path: Path, hint?: string): Issue {
  return { message, origin, path, ...(hint === undefined ? {} : { hint }) };
}
