import { FlywheelError } from '@flywheel/base';
import { formatKeyPath, parseKeyPath } from './key-path.ts';
import { fieldOf, findNode } from './layers/index.ts';
import type { Node, Path } from './layers/index.ts';
import type { Merged } from './load.ts';
import { nearest } from './nearest.ts';
import { formatSettingPath, keysAt, settingAt, settingNamed, typeOf } from './settings.ts';
import { positionOf } from './source.ts';
import type { Layer, Position } from './source.ts';

/** One layer's word on a key. */
export interface Said extends Position {
  readonly layer: Layer;
  /** What it says; undefined for a map or a list, whose parts have places of their own. */
  readonly value: string | number | boolean | null | undefined;
}

export interface Explanation {
  readonly key: string;
  readonly description: string | undefined;
  readonly type: string;
  /** What it is now, with defaults. */
  readonly value: unknown;
  readonly default: unknown;
  /** Who says so, the last word first; empty when it is the default. */
  readonly said: readonly Said[];
  /** The keys below it, with what they are for. */
  readonly keys: readonly { readonly key: string; readonly description: string | undefined }[];
}

/**
 * What a key is, what it is for, and which layer says so. Throws `not-found` for a key that cannot
 * be, with the nearest that can.
 */
export function explainKey(merged: Merged, key: string): Explanation {
  const path = positions(merged.tree, parseKeyPath(key));
  const setting = settingAt(path);
  if (setting === undefined) throw unknownKey(key, path);
  const found = findNode(merged.tree, path);
  return {
    key: formatKeyPath(path),
    description: setting.description,
    type: typeOf(setting),
    value: valueAt(merged.organization, path),
    default: setting.default,
    said: found === undefined ? [] : historyOf(found.node),
    keys: keysBelow(merged, path),
  };
}

/** Those of a section as the schema has them, and the names in a map of things that are alike. */
function keysBelow({ organization }: Merged, path: Path): Explanation['keys'] {
  const { properties, additionalProperties } = settingAt(path) ?? {};
  const names = additionalProperties && additionalProperties.properties !== undefined;
  const keys = names ? (valueAt(organization, path) ?? {}) : (properties ?? {});
  return Object.keys(keys).map((name) => ({
    key: formatKeyPath([...path, name]),
    description: settingAt([...path, name])?.description,
  }));
}

function historyOf(node: Node): readonly Said[] {
  const said: Said[] = [];
  for (let current: Node | undefined = node; current !== undefined; current = current.shadowed) {
    const value = current.kind === 'scalar' ? current.value : undefined;
    said.push({ ...positionOf(current.origin), layer: current.origin.source.layer, value });
  }
  return said;
}

/** Items of lists by the field that names them: `egress[gitlab]`. */
function positions(root: Node, path: Path): Path {
  const found: (string | number)[] = [];
  for (const step of path) {
    const node = findNode(root, found)?.node;
    const field = settingAt(found)?.mergeKey;
    if (node?.kind !== 'list' || field === undefined || typeof step === 'number') found.push(step);
    else {
      const index = node.items.findIndex((item) => fieldOf(item, field) === step);
      if (index < 0) throw absent(formatKeyPath(found), step);
      found.push(index);
    }
  }
  return found;
}

function absent(list: string, name: string): FlywheelError {
  return new FlywheelError('not-found', `${list} has no item "${name}"`);
}

function valueAt(organization: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? (value as Record<string | number, unknown>)[step]
        : undefined,
    organization,
  );
}

function unknownKey(key: string, path: Path): FlywheelError {
  let known: Path = path;
  while (settingAt(known) === undefined) known = known.slice(0, -1);
  const wrong = String(path[known.length]);
  const siblings = keysAt(known) ?? [];
  const near = nearest(wrong, siblings);
  const elsewhere = settingNamed(path.at(-1));
  const guess =
    near === undefined
      ? elsewhere && formatSettingPath(elsewhere)
      : formatKeyPath([...known, near]);
  const allowed = siblings.length === 0 ? [] : [`There are: ${siblings.join(', ')}.`];
  return new FlywheelError('not-found', `there is no key ${key}`, {
    details: {
      hint: [...(guess === undefined ? [] : [`Did you mean ${guess}?`]), ...allowed].join('\n'),
    },
  });
}
