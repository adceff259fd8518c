import { formatKeyPath } from './key-path.ts';
import { findNode } from './layers/index.ts';
import type { Path } from './layers/index.ts';
import type { Merged } from './load.ts';
import { settingAt } from './settings.ts';
import { positionOf } from './source.ts';
import type { Position } from './source.ts';

export interface Change {
  readonly key: string;
  /** Undefined when the first has no such key; then the second has one. */
  readonly before: unknown;
  readonly after: unknown;
  /** Where the second says so, or else the first; undefined when defaults do. */
  readonly position: Position | undefined;
}

/** What is different in `second`, key by key, defaults included, in the order of the schema. */
export function diffOrganizations(first: Merged, second: Merged): readonly Change[] {
  const before = keyed(first);
  const after = keyed(second);
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].flatMap((key) => {
    const [old, now] = [before.get(key), after.get(key)];
    if (JSON.stringify(old?.value) === JSON.stringify(now?.value)) return [];
    const position = (now && place(second, now.position)) ?? (old && place(first, old.position));
    return [{ key, before: old?.value, after: now?.value, position }];
  });
}

interface Leaf {
  readonly value: unknown;
  /** The path with positions in lists, where `key` has names. */
  readonly position: Path;
}

/** The values by key. The only environment there is has no name: it is compared with another. */
function keyed({ organization }: Merged): Map<string, Leaf> {
  const all = leaves(organization);
  const [name, ...others] = Object.keys(organization?.environments ?? {});
  if (name === undefined || others.length > 0) return all;
  const own = formatKeyPath(['environments', name]);
  return new Map(
    [...all].map(([key, leaf]) => [
      key.startsWith(`${own}.`) ? `environments.NAME${key.slice(own.length)}` : key,
      leaf,
    ]),
  );
}

/** All values that are not made of others, by key. Lists of named items are compared by name. */
function leaves(value: unknown, key: Path = [], position: Path = []): Map<string, Leaf> {
  const field = settingAt(position)?.mergeKey;
  const children: readonly (readonly [Path, Path, unknown])[] | undefined =
    Array.isArray(value) && field !== undefined
      ? value.map((item: Record<string, unknown>, index) => [
          [...key, String(item[field])],
          [...position, index],
          item,
        ])
      : isMap(value)
        ? Object.entries(value).map(([name, inner]) => [[...key, name], [...position, name], inner])
        : undefined;
  if (children === undefined || children.length === 0) {
    return new Map([[formatKeyPath(key), { value, position }]]);
  }
  return new Map(children.flatMap(([at, where, inner]) => [...leaves(inner, at, where)]));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function place({ tree }: Merged, path: Path): Position | undefined {
  const found = findNode(tree, path);
  return found === undefined ? undefined : positionOf(found.node.origin);
}
