import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PathSource } from './index.ts';
import { PushQueue } from './push-queue.ts';
import { baseNameFor } from './test-source.ts';

function source(name: string, references: readonly string[] = [], narSize = 100): PathSource {
  return {
    storePath: `/nix/store/${baseNameFor(name)}`,
    references: references.map(baseNameFor),
    narHash: Buffer.alloc(32),
    narSize,
    sigs: [],
    nar: () => [],
  };
}

function byName(a: string | undefined, b: string | undefined): number {
  return (a ?? '').localeCompare(b ?? '');
}

function nameOf(path: PathSource | undefined): string | undefined {
  return path?.storePath.slice('/nix/store/'.length + 33);
}

test('hands out a path when the last of its references is there', () => {
  const [a, b, c] = [source('a'), source('b'), source('c', ['a', 'b', 'c', 'elsewhere'])];
  const queue = new PushQueue([c, a, b]);
  expect([nameOf(queue.take()), nameOf(queue.take())].toSorted(byName)).toEqual(['a', 'b']);
  expect(queue.take()).toBeUndefined();
  queue.finish(a);
  expect(queue.take()).toBeUndefined();
  queue.finish(b);
  expect(nameOf(queue.take())).toBe('c');
  queue.finish(c);
  expect(queue.take()).toBeUndefined();
});

test('starts with what most work waits for', () => {
  const queue = new PushQueue([
    source('large', [], 1_000_000),
    source('root', [], 1),
    source('middle', ['root'], 1),
    source('heavy', ['middle'], 2_000_000),
    source('light', [], 1),
  ]);
  expect([queue.take(), queue.take(), queue.take(), queue.take()].map(nameOf)).toEqual([
    'root',
    'large',
    'light',
    undefined,
  ]);
});

test('what refers to a lost path is lost, once', () => {
  const [a, b] = [source('a'), source('b')];
  const queue = new PushQueue([
    a,
    b,
    source('c', ['a']),
    source('d', ['c', 'b']),
    source('e', ['b']),
  ]);
  queue.take();
  queue.take();
  expect(queue.fail(a).map(nameOf).toSorted(byName)).toEqual(['c', 'd']);
  expect(queue.fail(b).map(nameOf)).toEqual(['e']);
  expect(queue.take()).toBeUndefined();
});

test('even a circle is handed out', () => {
  const queue = new PushQueue([source('a', ['b']), source('b', ['a'])]);
  const first = queue.take();
  expect(first).toBeDefined();
  if (first !== undefined) queue.finish(first);
  expect([nameOf(first), nameOf(queue.take())].toSorted(byName)).toEqual(['a', 'b']);
});

test('with any graph and any failures, each path is handed out or lost exactly once, in order', () => {
  const graph = fc.array(fc.array(fc.nat(40), { maxLength: 5 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(
      graph,
      fc.infiniteStream(fc.boolean()),
      fc.integer({ min: 1, max: 6 }),
      (nodes, coins, jobs) => {
        const names = nodes.map((_, index) => `n${index}`);
        const references = nodes.map((of, index) =>
          of.filter((other) => other < index).map((i) => `n${i}`),
        );
        const queue = new PushQueue(names.map((name, index) => source(name, references[index])));
        const state = new Map<string, 'pushed' | 'lost'>();
        const running: PathSource[] = [];
        for (;;) {
          while (running.length < jobs) {
            const path = queue.take();
            if (path === undefined) break;
            const index = names.indexOf(nameOf(path) ?? '');
            for (const reference of references[index] ?? []) {
              expect(state.get(reference)).toBe('pushed');
            }
            running.push(path);
          }
          const path = running.shift();
          if (path === undefined) break;
          const lost = coins.next().value === true ? [path, ...queue.fail(path)] : [];
          for (const other of lost) {
            expect(state.has(nameOf(other) ?? '')).toBe(false);
            state.set(nameOf(other) ?? '', 'lost');
          }
          if (lost.length > 0) continue;
          state.set(nameOf(path) ?? '', 'pushed');
          queue.finish(path);
        }
        expect(state.size).toBe(names.length);
      },
    ),
  );
});

test('20,000 paths that all refer to one are planned in under 2 seconds', () => {
  const root = source('root');
  const many = Array.from({ length: 20_000 }, (_, i) => source(`n${i}`, ['root'], i));
  const startedAt = performance.now();
  const queue = new PushQueue([...many, root]);
  expect(queue.take()).toBe(root);
  queue.finish(root);
  expect(queue.take()).toBe(many.at(-1));
  expect(queue.fail(root).length).toBe(20_000);
  expect((performance.now() - startedAt) / 1000).toBeLessThan(2);
});
