import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planRetention, QUOTA_GRACE_MS, type RetentionPolicy } from './plan.ts';
import { ReferenceGraph } from './reference-graph.ts';

interface Path {
  readonly name: string;
  readonly references: readonly string[];
  readonly usedAt: number;
  readonly size: number;
}

const NOW = Date.UTC(2027, 0, 1);
const DAY_MS = 86_400_000;

function hashOf(name: string): string {
  return name.padStart(32, '0');
}

async function plan(
  paths: readonly Path[],
  policy: Partial<RetentionPolicy>,
  pins: readonly string[] = [],
) {
  const graph = new ReferenceGraph();
  for (const [i, path] of paths.entries()) {
    graph.add({
      storePathHash: hashOf(path.name),
      references: path.references.map((name) => `${hashOf(name)}-${name}`),
      narId: i,
      narSize: path.size * 3,
      fileSize: path.size,
      lastUsedAt: path.usedAt,
    });
  }
  const decided = await planRetention(
    graph,
    { periodSeconds: undefined, quotaBytes: undefined, ...policy },
    pins.map(hashOf),
    { now: NOW, rest: async () => {} },
  );
  const expired = decided.expired.map((node) => graph.hashOf(node).replace(/^0+/, ''));
  return { ...decided, expired };
}

function path(name: string, daysAgo: number, references: readonly string[] = [], size = 10): Path {
  return { name, references, usedAt: NOW - daysAgo * DAY_MS, size };
}

test('without a policy nothing goes', async () => {
  expect((await plan([path('a', 10_000)], {})).expired).toEqual([]);
  expect((await plan([path('a', 10_000)], { periodSeconds: 0 })).expired).toEqual([]);
});

test('a path stays while one that was used refers to it, over any distance', async () => {
  const paths = [
    path('a', 1, ['b']),
    path('b', 9, ['c', 'missing']),
    path('c', 9, ['c', 'b']),
    path('d', 9, ['c', 'e']),
    path('e', 9),
  ];
  const decided = await plan(paths, { periodSeconds: 7 * 86_400 });
  expect(decided.expired).toEqual(['d', 'e']);
  expect(decided).toMatchObject({ keptPaths: 3, keptBytes: 30, overQuota: false });
});

test('a quota keeps what was used last, closure by closure', async () => {
  const paths = [
    path('new', 1, ['shared']),
    path('mid', 2, ['shared', 'mid-lib']),
    path('mid-lib', 8),
    path('old', 3),
    path('shared', 9),
  ];
  expect((await plan(paths, { quotaBytes: 50 })).expired).toEqual([]);
  expect((await plan(paths, { quotaBytes: 49 })).expired).toEqual(['old']);
  // The closure of `mid` does not fit, and nothing older comes in its place.
  expect((await plan(paths, { quotaBytes: 39 })).expired.toSorted()).toEqual([
    'mid',
    'mid-lib',
    'old',
  ]);
  const pinned = await plan(paths, { quotaBytes: 10 }, ['old', 'absent']);
  expect(pinned).toMatchObject({ keptPaths: 1, overQuota: false });
  expect(pinned.expired).not.toContain('old');
});

test('a quota spares what was pushed or used within the hour', async () => {
  const young = { ...path('young', 0, ['lib']), usedAt: NOW - QUOTA_GRACE_MS };
  const decided = await plan([young, path('lib', 50), path('old', 1)], { quotaBytes: 1 });
  expect(decided).toMatchObject({ expired: ['old'], overQuota: true });
});

const NAMES = Array.from({ length: 12 }, (_, i) => `p${i}`);

const anyPaths = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom(...NAMES),
    references: fc.subarray(NAMES, { maxLength: 4 }),
    usedAt: fc.integer({ min: 1, max: 30 }).map((days) => NOW - days * DAY_MS),
    size: fc.integer({ min: 0, max: 20 }),
  }),
  { selector: ({ name }) => name },
);

test('what goes is what a plain search would let go; referrers go first', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyPaths,
      fc.integer({ min: 1, max: 31 }),
      fc.subarray(NAMES, { maxLength: 2 }),
      async (paths, days, pins) => {
        const { expired } = await plan(paths, { periodSeconds: days * 86_400 }, pins);
        expect(new Set(expired)).toEqual(plainlyExpired(paths, days, pins));
        if (!hasCircle(paths)) {
          for (const [i, name] of expired.entries()) {
            const { references = [] } = paths.find((each) => each.name === name) ?? {};
            const earlier = expired.slice(0, i);
            expect(earlier.filter((before) => references.includes(before))).toEqual([]);
          }
        }
      },
    ),
  );
});

test('whatever the quota, what stays fits, and is whole', async () => {
  await fc.assert(
    fc.asyncProperty(anyPaths, fc.integer({ min: 0, max: 120 }), async (paths, quotaBytes) => {
      const { expired, keptBytes } = await plan(paths, { quotaBytes });
      const gone = new Set(expired);
      const kept = paths.filter(({ name }) => !gone.has(name));
      expect(keptBytes).toBe(kept.reduce((sum, { size }) => sum + size, 0));
      expect(keptBytes).toBeLessThanOrEqual(quotaBytes);
      for (const { references } of kept) expect(references.filter((r) => gone.has(r))).toEqual([]);
    }),
  );
});

function plainlyExpired(
  paths: readonly Path[],
  days: number,
  pins: readonly string[],
): ReadonlySet<string> {
  const live = new Set<string>(pins);
  for (const { name, usedAt } of paths) if (usedAt >= NOW - days * DAY_MS) live.add(name);
  for (let before = -1; before !== live.size;) {
    before = live.size;
    for (const { name, references } of paths) {
      if (live.has(name)) for (const reference of references) live.add(reference);
    }
  }
  return new Set(paths.map(({ name }) => name).filter((name) => !live.has(name)));
}

function hasCircle(paths: readonly Path[]): boolean {
  const reaches = (from: string, to: string, seen: Set<string>): boolean => {
    const { references = [] } = paths.find(({ name }) => name === from) ?? {};
    for (const next of references) {
      if (next === to) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      if (reaches(next, to, seen)) return true;
    }
    return false;
  };
  return paths.some(({ name }) => reaches(name, name, new Set()));
}

test('many paths, added in any order, are found again', () => {
  const graph = new ReferenceGraph();
  const count = 5000;
  for (let i = 0; i < count; i += 1) {
    const at = (i * 3571) % count;
    graph.add({
      storePathHash: hashOf(String(at)),
      references: [`${hashOf(String((at + 1) % count))}-x`],
      narId: at,
      narSize: 1,
      fileSize: 1,
      lastUsedAt: at,
    });
  }
  expect([graph.size, graph.present]).toEqual([count, count]);
  for (let at = 0; at < count; at += 1) {
    const node = graph.find(hashOf(String(at))) ?? -1;
    expect(graph.hashOf(node)).toBe(hashOf(String(at)));
    expect(graph.narIdOf(node)).toBe(at);
  }
  expect(graph.find(hashOf('x'))).toBeUndefined();
  let reached = 0;
  graph.visitClosure(0, new Uint8Array(graph.size), () => (reached += 1));
  expect(reached).toBe(count);
});
