import { beforeEach, expect, test } from 'vitest';
import type { Cache, Metadata } from '../db/metadata.ts';
import { migrate } from '../db/migrations.ts';
import { createSqlMetadata } from '../db/sql-metadata.ts';
import { openSqlite } from '../db/sqlite.ts';
import { TEST_SETTINGS } from '../db/test-settings.ts';
import { packKeyOf } from '../store/pack-key.ts';
import { expireCache, type ExpireParts } from './expire-cache.ts';

const DAY_MS = 86_400_000;
const WEEK = { periodSeconds: 7 * 86_400, quotaBytes: undefined };

let now: number;
let metadata: Metadata;
let cache: Cache;
let pending: Set<string>;

beforeEach(async () => {
  now = Date.UTC(2027, 0, 1);
  const database = openSqlite(':memory:');
  await migrate(database);
  metadata = createSqlMetadata(database, { now: () => now });
  cache = await metadata.createCache('main', TEST_SETTINGS);
  pending = new Set();
  for (const [name, references] of [
    ['lib', []],
    ['app', ['lib']],
    ['other', ['lib']],
    ['alone', []],
  ] as const) {
    await push(name, references);
  }
  now += 30 * DAY_MS;
});

function hashOf(name: string): string {
  return name.padStart(32, '0');
}

async function push(name: string, references: readonly string[]): Promise<void> {
  const { lease } = await metadata.beginUpload(undefined);
  await metadata.commitNar(
    {
      lease,
      hash: Buffer.alloc(32, `${name} ${now}`),
      size: 100,
      pack: { key: packKeyOf(lease), size: 10 },
      chunks: [],
      segments: [],
      fileSize: 10,
      listing: undefined,
    },
    {
      object: {
        cacheId: cache.id,
        storePathHash: hashOf(name),
        storePath: `/nix/store/${hashOf(name)}-${name}`,
        references: references.map((reference) => `${hashOf(reference)}-${reference}`),
        deriver: undefined,
        system: undefined,
        sigs: [],
        ca: undefined,
        createdBy: undefined,
      },
    },
  );
}

interface Meanwhile {
  /** Between the look and the time after which nothing that was promised is unwritten. */
  readonly unsettled?: () => Promise<unknown>;
  /** Between the last look and the removal. */
  readonly atLast?: () => Promise<unknown>;
}

/** Expires after a week. */
async function expire(
  settleMs: number | undefined,
  { unsettled = async () => {}, atLast = async () => {} }: Meanwhile = {},
): Promise<readonly string[]> {
  let happened = false;
  const parts: ExpireParts = {
    metadata: {
      ...metadata,
      async doomObjects(...args) {
        await metadata.doomObjects(...args);
        await unsettled();
      },
      async removeExpired(removal) {
        if (!happened) await atLast();
        happened = true;
        return metadata.removeExpired(removal);
      },
    },
    pace: { rest: async () => {} },
    settleMs,
    uses: { flush: async () => {}, isPending: (_, hash) => pending.has(hash) },
    onRemoved: () => {},
    signal: new AbortController().signal,
    report: () => {},
  };
  await expireCache(parts, cache, WEEK);
  const rows = await metadata.scanObjects(cache.id, '', 100);
  expect(rows.filter(({ doomed }) => doomed)).toEqual([]);
  return rows.map(({ storePathHash }) => storePathHash.replace(/^0+/, '')).toSorted();
}

for (const settleMs of [undefined, 0]) {
  const name = settleMs === undefined ? 'alone' : 'beside others';

  test(`${name}: what is old goes`, async () => {
    expect(await expire(settleMs)).toEqual([]);
  });

  test(`${name}: a path that is used in the last moment keeps its closure`, async () => {
    const kept = await expire(settleMs, {
      atLast: () => metadata.touch(cache.id, [hashOf('app')], now),
    });
    expect(kept).toEqual(['app', 'lib']);
  });

  test(`${name}: so does one whose use is not written yet`, async () => {
    const kept = await expire(settleMs, {
      atLast: async () => pending.add(hashOf('other')),
    });
    expect(kept).toEqual(['lib', 'other']);
  });

  test(`${name}: a path that is pushed in the last moment stays`, async () => {
    const kept = await expire(settleMs, { atLast: () => push('lib', []) });
    expect(kept).toEqual(['lib']);
  });

  test(`${name}: a pin that is set in the last moment keeps its closure`, async () => {
    const kept = await expire(settleMs, {
      atLast: () =>
        metadata.putPin({
          cacheId: cache.id,
          name: 'release',
          storePath: `/nix/store/${hashOf('app')}-app`,
          storePathHash: hashOf('app'),
          keepRevisions: 1,
          keepSeconds: undefined,
          createdBy: undefined,
        }),
    });
    expect(kept).toEqual(['app', 'lib']);
  });
}

test('what was pushed since the look keeps what it refers to, also when no use of that is written', async () => {
  const kept = await expire(0, { unsettled: () => push('new', ['app']) });
  expect(kept).toEqual(['app', 'lib', 'new']);
});

test('marks that a killed run has left are taken away where they are wrong', async () => {
  await metadata.doomObjects(cache.id, ['lib', 'app', 'alone'].map(hashOf), now);
  await push('app', ['lib']);
  expect(await expire(0)).toEqual(['app', 'lib']);
});
