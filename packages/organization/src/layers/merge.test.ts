import fc from 'fast-check';
import { expect, test } from 'vitest';
import { finish } from './finish.ts';
import { merge } from './merge.ts';
import type { MergeKeyOf } from './merge.ts';
import { toPlain } from './node.ts';
import type { Entry, MapNode, Node } from './node.ts';

const origin = {
  source: { file: 'test.yaml', text: '', layer: 'organization' },
  start: 0,
  end: 0,
} as const;

/** In these tests, a list is merged by name when its key is "items". */
const byName: MergeKeyOf = (path) => (path.at(-1) === 'items' ? 'name' : undefined);

/** Plain data as nodes; `$delete` and `$replace` as in a file. */
function nodeOf(value: unknown): Node {
  if (Array.isArray(value)) {
    const [first, ...rest] = value as unknown[];
    const replaces = isMap(first) && '$replace' in first;
    const items = (replaces ? rest : (value as unknown[])).map(nodeOf);
    return { kind: 'list', origin, items, ...(replaces ? { mark: 'replace' } : {}) };
  }
  if (!isMap(value)) return { kind: 'scalar', origin, value: value as string };
  const { $delete, $replace, ...rest } = value;
  const entries = new Map<string, Entry>(
    Object.entries(rest).map(([key, inner]) => [key, { key: origin, value: nodeOf(inner) }]),
  );
  const mark = $delete === true ? 'delete' : $replace === true ? 'replace' : undefined;
  return { kind: 'map', origin, entries, ...(mark === undefined ? {} : { mark }) };
}

/** The other way round, marks included. */
function plainOf(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') {
    const items = node.items.map(plainOf);
    return node.mark === undefined ? items : [{ $replace: true }, ...items];
  }
  const entries = [...node.entries].map(([key, { value }]) => [key, plainOf(value)]);
  return {
    ...Object.fromEntries(entries),
    ...(node.mark === undefined ? {} : { [`$${node.mark}`]: true }),
  };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mergeAll(...layers: readonly unknown[]): unknown {
  const nodes = layers.map(nodeOf);
  const merged = nodes.reduce((lower, upper) => merge(lower, upper, byName));
  return toPlain(finish(merged).node);
}

test('maps are merged key by key, and what a layer does not say stays', () => {
  const lower = { cache: { min: 1, max: 2 }, name: 'a' };

  expect(mergeAll(lower, { cache: { max: 5 } })).toEqual({ cache: { min: 1, max: 5 }, name: 'a' });
});

test('a list comes instead of the one below it', () => {
  expect(mergeAll({ tags: ['a', 'b'] }, { tags: ['c'] })).toEqual({ tags: ['c'] });
});

test('items of a list with a key field are merged by it, new ones at the end', () => {
  const lower = { items: [{ name: 'a', x: 1, y: 1 }, { name: 'b' }] };
  const upper = { items: [{ name: 'c' }, { name: 'a', y: 2 }] };

  expect(mergeAll(lower, upper)).toEqual({
    items: [{ name: 'a', x: 1, y: 2 }, { name: 'b' }, { name: 'c' }],
  });
});

test('$delete takes away what is below, in maps and in lists', () => {
  const lower = { a: { x: 1 }, b: 2, items: [{ name: 'a' }, { name: 'b' }] };
  const upper = {
    a: { $delete: true },
    b: { $delete: true },
    items: [{ name: 'a', $delete: true }],
  };

  expect(mergeAll(lower, upper)).toEqual({ items: [{ name: 'b' }] });
});

test('$replace comes instead of what is below, in maps and in lists', () => {
  const lower = { a: { x: 1, y: 2 }, items: [{ name: 'a' }] };
  const upper = { a: { $replace: true, z: 3 }, items: [{ $replace: true }, { name: 'b' }] };

  expect(mergeAll(lower, upper)).toEqual({ a: { z: 3 }, items: [{ name: 'b' }] });
});

test('what is deleted and said again has nothing of what was there', () => {
  const merged = mergeAll({ a: { x: 1 } }, { a: { $delete: true } }, { a: { y: 2 } });

  expect(merged).toEqual({ a: { y: 2 } });
});

test('a $delete that meets nothing is told', () => {
  const merged = merge(nodeOf({ a: 1 }), nodeOf({ b: { $delete: true } }), byName);

  expect(finish(merged).unmet.map(({ path }) => path)).toEqual([['b']]);
});

const key = fc.constantFrom('a', 'b', 'items');
const item = fc
  .tuple(
    fc.constantFrom('x', 'y', 'z'),
    fc.oneof(fc.record({ v: fc.nat(3) }), fc.constant({ $delete: true })),
  )
  .map(([name, rest]) => ({ name, ...rest }));
const items = fc
  .tuple(fc.boolean(), fc.uniqueArray(item, { selector: ({ name }) => name, maxLength: 3 }))
  .map(([replaces, list]) => (replaces ? [{ $replace: true }, ...list] : list));
const { layer } = fc.letrec<{ value: unknown; layer: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.nat(3),
    fc.constant({ $delete: true }),
    fc.array(fc.nat(3), { maxLength: 2 }),
    tie('layer'),
    tie('layer').map((map) => ({ ...map, $replace: true })),
  ),
  layer: fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }).chain((map) =>
    // A list of items is never anything else, or it would not be valid.
    'items' in map ? items.map((list) => ({ ...map, items: list })) : fc.constant(map),
  ),
}));

test('it does not matter which of several layers are merged first', () => {
  fc.assert(
    fc.property(layer, layer, layer, (a, b, c) => {
      const [low, middle, high] = [a, b, c].map(nodeOf) as [MapNode, MapNode, MapNode];

      const upwards = merge(merge(low, middle, byName), high, byName);
      const downwards = merge(low, merge(middle, high, byName), byName);

      expect(plainOf(upwards)).toEqual(plainOf(downwards));
      expect(toPlain(finish(upwards).node)).toEqual(toPlain(finish(downwards).node));
    }),
    { numRuns: 2000 },
  );
});

test('a layer that says nothing changes nothing', () => {
  fc.assert(
    fc.property(layer, (a) => {
      const empty = nodeOf({});

      expect(plainOf(merge(nodeOf(a), empty, byName))).toEqual(plainOf(nodeOf(a)));
      expect(plainOf(merge(empty, nodeOf(a), byName))).toEqual(plainOf(nodeOf(a)));
    }),
  );
});

test('the last layer has the last word: merging it again changes nothing', () => {
  fc.assert(
    fc.property(layer, layer, (a, b) => {
      const once = merge(nodeOf(a), nodeOf(b), byName);

      expect(toPlain(finish(merge(once, nodeOf(b), byName)).node)).toEqual(
        toPlain(finish(once).node),
      );
    }),
  );
});
