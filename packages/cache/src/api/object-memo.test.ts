import { expect, test } from 'vitest';
import { generateSecretKey, SecretKey } from '@flywheel/nix';
import type { Metadata, StoredObject } from '../db/metadata.ts';
import type { LiveCache } from './cache-directory.ts';
import { createObjectMemo } from './object-memo.ts';
import { narInfoOf } from './rendered-narinfo.ts';

const HASH = '0'.repeat(32);
const ALONE = { soleWriter: true };

function liveCache(secretKey: string, isPublic = true): LiveCache {
  return {
    id: 7,
    name: 'c',
    secretKey,
    key: SecretKey.parse(secretKey),
    isPublic,
    storeDir: '/nix/store',
    priority: 41,
    upstreamCacheKeyNames: [],
    retentionSeconds: undefined,
    upstreams: [],
    createdAt: 0,
  };
}

const cache = liveCache(generateSecretKey('c'));

function storedObject(deriver?: string): StoredObject {
  return {
    cacheId: cache.id,
    storePathHash: HASH,
    storePath: `/nix/store/${HASH}-x`,
    references: [],
    deriver,
    system: undefined,
    sigs: [],
    ca: undefined,
    createdBy: undefined,
    nar: { id: 1, hash: Buffer.alloc(32, 1), size: 10, fileSize: 9, segments: [] },
  };
}

/** The one query that the memo makes, answered by hand. */
function heldQueries() {
  const queries: PromiseWithResolvers<StoredObject | undefined>[] = [];
  const metadata = {
    findObject: () => {
      const query = Promise.withResolvers<StoredObject | undefined>();
      queries.push(query);
      return query.promise;
    },
  } as Pick<Metadata, 'findObject'> as Metadata;
  return { queries, metadata };
}

test('those who ask at once share one query, and those after it need none', async () => {
  const { queries, metadata } = heldQueries();
  const memo = createObjectMemo(metadata, { now: () => 0 }, ALONE);
  const asked = [memo.find(cache, HASH), memo.find(cache, HASH)];
  expect(memo.recall(cache, HASH)).toBeUndefined();
  queries[0]?.resolve(storedObject());
  const [first, second] = await Promise.all(asked);
  expect(queries).toHaveLength(1);
  expect(second).toBe(first);
  expect(memo.recall(cache, HASH)).toBe(first);
});

test('a query that began before a commit does not deny afterwards what it committed', async () => {
  const { queries, metadata } = heldQueries();
  const memo = createObjectMemo(metadata, { now: () => 0 }, ALONE);
  const before = memo.find(cache, HASH);
  memo.delete(cache.id, HASH);
  const after = memo.find(cache, HASH);
  queries[1]?.resolve(storedObject());
  expect(await after).toBeDefined();
  queries[0]?.resolve(undefined);
  expect(await before).toBeUndefined();
  expect(memo.recall(cache, HASH)).toMatchObject({ object: { storePathHash: HASH } });
});

test('absence is remembered for five seconds where every commit is ours', async () => {
  let now = 0;
  const { queries, metadata } = heldQueries();
  const memo = createObjectMemo(metadata, { now: () => now }, ALONE);
  const asked = memo.find(cache, HASH);
  queries[0]?.resolve(undefined);
  await asked;
  now = 4999;
  expect(memo.recall(cache, HASH)).toBe('absent');
  expect(await memo.find(cache, HASH)).toBeUndefined();
  expect(queries).toHaveLength(1);
  now = 5000;
  expect(memo.recall(cache, HASH)).toBeUndefined();
});

test('absence is never remembered beside other replicas', async () => {
  const { queries, metadata } = heldQueries();
  const memo = createObjectMemo(metadata, { now: () => 0 }, { soleWriter: false });
  const asked = memo.find(cache, HASH);
  queries[0]?.resolve(undefined);
  await asked;
  expect(memo.recall(cache, HASH)).toBeUndefined();
});

test.each([
  [true, 60_000],
  [false, 3000],
])('presence is believed for a while (alone: %s)', async (soleWriter, freshMs) => {
  let now = 0;
  const { queries, metadata } = heldQueries();
  const memo = createObjectMemo(metadata, { now: () => now }, { soleWriter });
  const asked = memo.find(cache, HASH);
  queries[0]?.resolve(storedObject());
  await asked;
  now = freshMs - 1;
  expect(memo.recall(cache, HASH)).toBeDefined();
  now = freshMs;
  expect(memo.recall(cache, HASH)).toBeUndefined();
});

test('an object found unchanged keeps its narinfo, a changed one does not', async () => {
  let now = 0;
  const { queries, metadata } = heldQueries();
  const memo = createObjectMemo(metadata, { now: () => now }, ALONE);
  const find = async (object: StoredObject) => {
    now += 60_000;
    const found = memo.find(cache, HASH);
    queries.at(-1)?.resolve(object);
    return (await found)!;
  };
  const rendered = narInfoOf(cache, await find(storedObject()));
  expect(narInfoOf(cache, await find(storedObject()))).toBe(rendered);
  const changed = narInfoOf(cache, await find(storedObject('x.drv')));
  expect(changed.body).toContain('Deriver: x.drv\n');
});

test('a failed query is not remembered', async () => {
  const { queries, metadata } = heldQueries();
  const memo = createObjectMemo(metadata, { now: () => 0 }, ALONE);
  const asked = memo.find(cache, HASH);
  queries[0]?.reject(new Error('the database is away'));
  await expect(asked).rejects.toThrow('away');
  const again = memo.find(cache, HASH);
  queries[1]?.resolve(storedObject());
  expect(await again).toBeDefined();
});

test("a narinfo follows the cache's key and whether it is public", () => {
  const known = { object: storedObject() };
  const open = narInfoOf(cache, known);
  expect(open.headers.join()).toContain('X-Attic-Cache-Visibility,public');
  expect(narInfoOf(liveCache(cache.secretKey), known)).toBe(open);
  const closed = narInfoOf(liveCache(cache.secretKey, false), known);
  expect(closed.headers.join()).not.toContain('Visibility');
  const rotated = narInfoOf(liveCache(generateSecretKey('c')), known);
  expect(rotated.body).not.toBe(closed.body);
});
