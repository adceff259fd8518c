import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NEW_PACK, type Cache, type Metadata, type NarUse, type ObjectInput } from './metadata.ts';
import { orderValue } from './sql-path-records.ts';
import { PATH_ORDERS, type PathOrder, type PathQuery } from './path-records.ts';
import { TEST_SETTINGS } from './test-settings.ts';

const STORE = '/nix/store';

/** What every database must do with the paths of a cache, beside finding them. */
export function pathRecordsContract(open: (clock: { now(): number }) => Promise<Metadata>): void {
  let now: number;
  let metadata: Metadata;
  let cache: Cache;

  beforeEach(async () => {
    now = Date.UTC(2027, 0, 1);
    metadata = await open({ now: () => now });
    cache = await metadata.createCache('main', TEST_SETTINGS);
  });
  afterEach(() => metadata.close());

  function hashOf(letter: string): string {
    return letter.repeat(32);
  }

  async function push(
    letter: string,
    name: string,
    changes: Partial<ObjectInput & { content: string; size: number; onlyIfAbsent: boolean }> = {},
  ): Promise<void> {
    const { content = letter, size = 1000, onlyIfAbsent, ...rest } = changes;
    const object = {
      cacheId: cache.id,
      storePathHash: hashOf(letter),
      storePath: `${STORE}/${hashOf(letter)}-${name}`,
      references: [],
      deriver: undefined,
      system: undefined,
      sigs: [],
      ca: undefined,
      createdBy: 'test',
      ...rest,
    };
    const use: NarUse = onlyIfAbsent === undefined ? { object } : { object, onlyIfAbsent };
    const { lease } = await metadata.beginUpload(undefined);
    const hash = createHash('sha256').update(content).digest();
    const segment = { pack: NEW_PACK, offset: 0, length: 10 };
    await metadata.commitNar(
      {
        lease,
        hash,
        size,
        pack: { key: `aa/${lease}.pack`, size: 50 },
        chunks: [],
        segments: [segment],
        fileSize: 10,
        listing: undefined,
      },
      use,
    );
  }

  async function names(query: Partial<PathQuery> = {}): Promise<readonly string[]> {
    const whole = { cacheId: cache.id, storeDir: STORE, order: 'created', limit: 100 } as const;
    const paths = await metadata.listPaths({ ...whole, ...query });
    return paths.map(({ storePath }) => storePath.slice(STORE.length + 34));
  }

  test('signatures of the same NAR and references come together, others replace', async () => {
    const sigs = async () => (await metadata.findObject(cache.id, hashOf('a')))?.sigs;
    await push('a', 'x', { sigs: ['one'] });
    await push('a', 'x', { sigs: ['two', 'one'] });
    expect(await sigs()).toEqual(['two', 'one']);
    await push('a', 'x', { sigs: ['three'] });
    expect(await sigs()).toEqual(['three', 'two', 'one']);
    await push('a', 'x', { sigs: ['four'], references: ['r'] });
    expect(await sigs()).toEqual(['four']);
    await push('a', 'x', { sigs: ['five'], references: ['r'], content: 'other' });
    expect(await sigs()).toEqual(['five']);
  });

  test('what is to be taken only when absent leaves an intact path as it is', async () => {
    await push('a', 'x', { sigs: ['pushed'] });
    await push('a', 'x', { sigs: ['pulled'], content: 'other', onlyIfAbsent: true });
    await push('b', 'y', { sigs: ['pulled'], content: 'new', onlyIfAbsent: true });
    const sigs = async (letter: string) =>
      (await metadata.findObject(cache.id, hashOf(letter)))?.sigs;
    expect(await sigs('a')).toEqual(['pushed']);
    expect(await sigs('b')).toEqual(['pulled']);

    const pack = (await metadata.findObject(cache.id, hashOf('a')))?.nar.segments[0]?.pack ?? 0;
    await metadata.markPackDamaged(pack);
    await push('a', 'x', { sigs: ['healed'], content: 'other', onlyIfAbsent: true });
    expect(await sigs('a')).toEqual(['healed']);
  });

  test('pushes of one path at once keep the signatures of all', async () => {
    const all = ['s0', 's1', 's2', 's3', 's4', 's5'];
    await Promise.all(all.map((sig) => push('a', 'x', { sigs: [sig] })));
    const object = await metadata.findObject(cache.id, hashOf('a'));
    expect(object?.sigs.toSorted()).toEqual(all);
  });

  test('paths are listed in every order, in pages', async () => {
    await push('a', 'ncdu', { size: 300 });
    now += 1000;
    await push('b', 'bash', { size: 100, references: ['x', 'y'] });
    now += 1000;
    await push('c', 'curl', { size: 200, createdBy: undefined });
    await metadata.touch(cache.id, [hashOf('a')], now + 5000);
    const inOrder: Record<PathOrder, readonly string[]> = {
      created: ['curl', 'bash', 'ncdu'],
      used: ['ncdu', 'curl', 'bash'],
      size: ['ncdu', 'curl', 'bash'],
      name: ['bash', 'curl', 'ncdu'],
    };
    for (const order of PATH_ORDERS) {
      expect(await names({ order }), order).toEqual(inOrder[order]);
      const paged: string[] = [];
      for (let after: PathQuery['after']; ;) {
        const query = { cacheId: cache.id, storeDir: STORE, order, after, limit: 1 };
        const [path] = await metadata.listPaths(query);
        if (path === undefined) break;
        paged.push(path.storePath.slice(STORE.length + 34));
        after = { value: orderValue(path, query), hash: path.storePathHash };
      }
      expect(paged, order).toEqual(inOrder[order]);
    }
    const query = { cacheId: cache.id, storeDir: STORE, order: 'name', limit: 1 } as const;
    expect(await metadata.listPaths(query)).toEqual([
      {
        storePathHash: hashOf('b'),
        storePath: `${STORE}/${hashOf('b')}-bash`,
        narSize: 100,
        fileSize: 10,
        createdAt: now - 1000,
        lastUsedAt: now - 1000,
        createdBy: 'test',
        references: 2,
        isDamaged: false,
      },
    ]);
  });

  test('paths are found by a part of the name or the start of the hash', async () => {
    await push('a', 'python3.12-Foo_bar');
    await push('b', 'python312');
    await push('c', 'bash');
    expect(await names({ search: 'PYTHON', order: 'name' })).toEqual([
      'python3.12-Foo_bar',
      'python312',
    ]);
    expect(await names({ search: '3.12' })).toEqual(['python3.12-Foo_bar']);
    // Not a wildcard, and not in the part before the name.
    for (const search of ['o_b', 'foo_bar']) {
      expect(await names({ search })).toEqual(['python3.12-Foo_bar']);
    }
    expect(await names({ search: '%' })).toEqual([]);
    expect(await names({ search: 'n3_1' })).toEqual([]);
    expect(await names({ search: 'nix/store' })).toEqual([]);
    expect(await names({ search: '\\' })).toEqual([]);
    expect(await names({ search: 'bbbb' })).toEqual(['python312']);
    expect(await names({ search: hashOf('c') })).toEqual(['bash']);
  });

  test('a path is removed when no other refers to it, or by force', async () => {
    const baseName = `${hashOf('a')}-lib`;
    await push('a', 'lib', { references: [baseName] });
    await push('b', 'app', { references: [baseName] });
    const remove = (letter: string, force = false) =>
      metadata.removePath(cache.id, hashOf(letter), { force });
    expect(await remove('c')).toBeUndefined();
    expect(await remove('a')).toEqual({ neededBy: [`${STORE}/${hashOf('b')}-app`] });
    expect(await remove('b')).toEqual({ removed: `${STORE}/${hashOf('b')}-app` });
    expect(await remove('a')).toEqual({ removed: `${STORE}/${baseName}` });
    expect(await remove('a')).toBeUndefined();
    expect(await metadata.findObject(cache.id, hashOf('a'))).toBeUndefined();
    expect(await metadata.removeUnusedNars(10)).toBe(2);

    await push('a', 'lib');
    await push('b', 'app', { references: [baseName] });
    expect(await remove('a', true)).toEqual({ removed: `${STORE}/${baseName}` });
  });

  test('figures of caches', async () => {
    expect((await metadata.cacheFigures()).size).toBe(0);
    await push('a', 'x', { size: 300 });
    await push('b', 'y', { size: 200 });
    expect((await metadata.cacheFigures()).get(cache.id)).toEqual({
      paths: 2,
      narBytes: 500,
      fileBytes: 20,
    });
  });
}
