import type { Issue } from './issue.ts';
import { formatKeyPath } from './key-path.ts';
import type { Node, Path } from './layers/index.ts';
import { secretIn } from './secret-values.ts';

/** Values that look like secrets: this file is committed, and read by everything. */
export function findSecrets(node: Node, path: Path = []): readonly Issue[] {
  switch (node.kind) {
    case 'list':
      return node.items.flatMap((item, index) => findSecrets(item, [...path, index]));
    case 'map':
      return [...node.entries].flatMap(([key, { value }]) => findSecrets(value, [...path, key]));
    case 'scalar': {
      const what = typeof node.value === 'string' ? secretIn(node.value) : undefined;
      if (what === undefined) return [];
      return [
        {
          message: `${formatKeyPath(path)} holds ${what}`,
          hint:
            'Secrets never stand in this file: put it into a Kubernetes Secret, whose name stands\n' +
            'under "secrets". Revoke this one if the file was committed or shared.',
          path,
          origin: node.origin,
        },
      ];
    }
  }
}
