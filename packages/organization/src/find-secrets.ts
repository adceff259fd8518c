import type { Issue } from './issue.ts';
import { formatKeyPath } from './key-path.ts';
import type { Node, Path } from './layers/index.ts';
import { secretIn } from './secret-values.ts';

const HINT =
  'Secrets never stand in this file: put it into a Kubernetes Secret, whose name stands\n' +
  'under "secrets". Revoke this one if the file was committed or shared.';

/** Values that look like secrets: this file is committed, and read by everything. */
export function findSecrets(node: Node, path: Path = []): readonly Issue[] {
  if (node.kind === 'list') {
    return node.items.flatMap((item, index) => findSecrets(item, [...path, index]));
  }
  if (node.kind === 'map') {
    return [...node.entries].flatMap(([key, { value }]) => findSecrets(value, [...path, key]));
  }
  const what = typeof node.value === 'string' ? secretIn(node.value) : undefined;
  if (what === undefined) return [];
  const message = `${formatKeyPath(path)} holds ${what}`;
  return [{ message, hint: HINT, path, origin: node.origin }];
}
