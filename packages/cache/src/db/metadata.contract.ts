import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { totalLength, type Segment } from '@flywheel/chunking';
import { LEASE_MS } from './leases.ts';
import {
  NEW_PACK,
  type Cache,
  type CacheSettings,
  type ChunkLocation,
  type Metadata,
  type Nar,
  type NarUse,
  type ObjectInput,
} from './metadata.ts';

const SETTINGS: CacheSettings = {
  secretKey: 'key:secret',
  isPublic: true,
  storeDir: '/nix/store',
  priority: 41,
  upstreamCacheKeyNames: ['a', 'b'],
  retentionSeconds: undefined,
};

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** What every database must do, against an empty one and a clock that the test sets. */
export function metadataContract(open: (clock: { now(): number }) => Promise<Metadata>): void {
  let now: number;
  let metadata: Metadata;
  let cache: Cache;
  let packs: number;

  beforeEach(async () => {
    now = Date.UTC(2027, 0, 1);
    packs = 0;
    metadata = await open({ now: () => now });
    cache = await metadata.createCache('main', SETTINGS);
  });
  afterEach(() => metadata.close());

  function object(hash: string, changes: Partial<ObjectInput> = {}): ObjectInput {
    return {
      cacheId: cache.id,
      storePathHash: hash,
      storePath: `/nix/store/${hash}-x`,
      references: [],
      deriver: undefined,
      system: undefined,
      sigs: [],
      ca: undefined,
      createdBy: 'test',
      ...changes,
    };
  }

  /** A NAR of new chunks, each named after its content, and of known ones. */
  async function commit(
    name: string,
    fresh: readonly string[],
    use: NarUse,
    options: { lease?: string; known?: readonly ChunkLocation[] } = {},
  ): Promise<{ nar: Nar; adopted: boolean }> {
    const lease = options.lease ?? (await metadata.beginUpload(undefined)).lease;
    let offset = 0;
    const chunks = fresh.map((text) => {
      const chunk = { hash: sha256(text), pack: NEW_PACK, offset, length: 10, size: 100 };
      offset += 10;
      return chunk;
    });
    const segments: Segment[] = [...(options.known ?? []), ...chunks].map(
      ({ pack, offset: at, length }) => ({ pack, offset: at, length }),
    );
    packs += 1;
    return metadata.commitNar(
      {
        lease,
        hash: sha256(name),
        size: 100 * segments.length,
        pack: { key: `aa/${String(packs).padStart(8, '0')}.pack`, size: offset + 50 },
        chunks,
        segments,
        fileSize: totalLength(segments),
        listing: Buffer.from(`listing of ${name}`),
      },
      use,
    );
  }

  async function reclaimAll(): Promise<readonly string[]> {
    await metadata.removeUnusedNars(100);
    await metadata.condemnPacks();
    const packsToGo = await metadata.condemnedPacks(100);
    if (packsToGo.length > 0) await metadata.removePacks(packsToGo.map((pack) => pack.id));
    return packsToGo.map((pack) => pack.key);
  }

  test('caches: created once, found, listed by name, changed, removed with their objects', async () => {
    await expect(metadata.createCache('main', SETTINGS)).rejects.toMatchObject({
      code: 'already-exists',
    });
    await metadata.createCache('alpha', { ...SETTINGS, isPublic: false, retentionSeconds: 60 });
    expect((await metadata.listCaches()).map(({ name }) => name)).toEqual(['alpha', 'main']);
    expect(await metadata.findCache('alpha')).toMatchObject({
      isPublic: false,
      retentionSeconds: 60,
      upstreamCacheKeyNames: ['a', 'b'],
      createdAt: now,
    });
    const alpha = (await metadata.findCache('alpha')) as Cache;
    await metadata.updateCache(alpha.id, { retentionSeconds: undefined, priority: 1 });
    expect(await metadata.findCache('alpha')).toMatchObject({
      retentionSeconds: undefined,
      priority: 1,
      isPublic: false,
    });
    expect(await metadata.deleteCache(alpha.id)).toBe(true);
    expect(await metadata.deleteCache(alpha.id)).toBe(false);
    expect(await metadata.findCache('alpha')).toBeUndefined();
  });

  test('a committed NAR is found by path, by hash and by chunk', async () => {
    const { nar, adopted } = await commit('nar', ['a', 'b'], {
      object: object('h1', { references: ['r2', 'r1'], sigs: ['s'], ca: 'c', deriver: 'd' }),
    });
    expect(adopted).toBe(true);
    expect(await metadata.findObject(cache.id, 'h1')).toMatchObject({
      storePath: '/nix/store/h1-x',
      references: ['r2', 'r1'],
      sigs: ['s'],
      ca: 'c',
      deriver: 'd',
      system: undefined,
      createdBy: 'test',
      nar: { id: nar.id, size: 200, fileSize: 20 },
    });
    expect(nar.segments).toEqual([
      { pack: expect.any(Number) as number, offset: 0, length: 10 },
      { pack: expect.any(Number) as number, offset: 10, length: 10 },
    ]);
    expect((await metadata.beginUpload(sha256('nar'))).nar?.id).toBe(nar.id);
    expect(await metadata.missingPaths(cache.id, ['h1', 'h2', 'h2'])).toEqual(['h2']);
    const found = await metadata.findChunks([sha256('a'), sha256('zz'), sha256('b')]);
    expect(found.map(({ offset }) => offset).toSorted((x, y) => x - y)).toEqual([0, 10]);
    expect((await metadata.findListing(nar.id))?.toString()).toBe('listing of nar');
  });

  test('the second commit of the same NAR adopts the first', async () => {
    const first = await commit('nar', ['a'], { object: object('h1') });
    const second = await commit('nar', ['a'], { object: object('h2') });
    expect(second).toMatchObject({ adopted: false, nar: { id: first.nar.id } });
    expect((await metadata.findObject(cache.id, 'h2'))?.nar.id).toBe(first.nar.id);
    expect(await metadata.statistics()).toMatchObject({ nars: 1, packs: 1, objects: 2, chunks: 1 });
  });

  test('a chunk stored twice at once keeps the first place', async () => {
    await commit('one', ['same'], { object: object('h1') });
    const [before] = await metadata.findChunks([sha256('same')]);
    await commit('two', ['same', 'other'], { object: object('h2') });
    const [after] = await metadata.findChunks([sha256('same')]);
    expect(after).toEqual(before);
  });

  test('an expired lease commits nothing', async () => {
    const { lease } = await metadata.beginUpload(undefined);
    now += LEASE_MS - 1;
    await metadata.renewLease(lease);
    now += LEASE_MS + 1;
    await expect(metadata.renewLease(lease)).rejects.toMatchObject({ code: 'conflict' });
    await expect(commit('late', ['a'], { object: object('h1') }, { lease })).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(await metadata.statistics()).toMatchObject({ nars: 0, packs: 0, chunks: 0, objects: 0 });
  });

  test('uploads that ended without a commit are known, those that did not are not', async () => {
    const failed = (await metadata.beginUpload(undefined)).lease;
    const silent = (await metadata.beginUpload(undefined)).lease;
    await commit('done', ['a'], { object: object('h1') });
    expect(await metadata.deadLeases(10)).toEqual([]);
    await metadata.abandonLease(failed);
    expect(await metadata.deadLeases(10)).toEqual([failed]);
    now += LEASE_MS + 1;
    const alive = (await metadata.beginUpload(undefined)).lease;
    expect(await metadata.deadLeases(10)).toEqual([failed, silent]);
    await metadata.forgetLeases([failed, silent]);
    // It may still wake up and finish its pack: remembered for a day.
    expect(await metadata.deadLeases(10)).toEqual([silent]);
    now += 25 * 3600 * 1000;
    await metadata.forgetLeases([silent]);
    expect(await metadata.deadLeases(10)).toEqual([alive]);
  });

  test('what nothing refers to is reclaimed, and only that', async () => {
    await commit('kept', ['a'], { object: object('h1') });
    await commit('unused', ['b'], { staged: { cacheId: cache.id, fileName: 'f' } });
    expect(await reclaimAll()).toEqual([]);
    now += 25 * 3600 * 1000;
    expect(await reclaimAll()).toEqual(['aa/00000002.pack']);
    expect(await metadata.findChunks([sha256('b')])).toEqual([]);
    expect(await metadata.findObject(cache.id, 'h1')).toBeDefined();
    await metadata.deleteCache(cache.id);
    expect(await reclaimAll()).toEqual(['aa/00000001.pack']);
    expect(await metadata.statistics()).toMatchObject({ nars: 0, packs: 0, chunks: 0 });
  });

  test('unused NARs go in batches, also those that lie before the last one', async () => {
    await commit('first', ['a'], { object: object('h1') });
    const main = cache;
    cache = await metadata.createCache('other', SETTINGS);
    for (const name of ['b', 'c', 'd']) await commit(name, [name], { object: object(name) });
    await metadata.deleteCache(cache.id);
    expect(await metadata.removeUnusedNars(2)).toBe(2);
    await metadata.deleteCache(main.id);
    expect(await metadata.removeUnusedNars(5)).toBe(2);
    expect(await metadata.removeUnusedNars(5)).toBe(0);
    expect(await metadata.statistics()).toMatchObject({ nars: 0 });
  });

  test('a NAR lives while another NAR only borrows its chunks, and its pack does then', async () => {
    await commit('lender', ['a', 'b'], { object: object('h1') });
    const known = await metadata.findChunks([sha256('a')]);
    await commit('borrower', ['c'], { object: object('h2') }, { known });
    const other = await metadata.createCache('other', SETTINGS);
    await metadata.useNar((await metadata.findObject(cache.id, 'h2'))!.nar.id, {
      object: object('h2', { cacheId: other.id }),
    });
    await metadata.deleteCache(cache.id);
    expect(await reclaimAll()).toEqual([]);
    expect(await metadata.statistics()).toMatchObject({ nars: 1, packs: 2 });
    await metadata.deleteCache(other.id);
    expect((await reclaimAll()).toSorted()).toEqual(['aa/00000001.pack', 'aa/00000002.pack']);
  });

  test('an upload that has found chunks keeps their pack, and its commit saves it', async () => {
    await commit('old', ['a'], { object: object('h1') });
    now += 10;
    const { lease } = await metadata.beginUpload(undefined);
    const known = await metadata.findChunks([sha256('a')]);
    await metadata.deleteCache(cache.id);
    cache = await metadata.createCache('again', SETTINGS);
    now += 10;
    expect(await reclaimAll()).toEqual([]);
    // Condemned: later uploads do not find it any more.
    expect(await metadata.findChunks([sha256('a')])).toEqual([]);
    await commit('new', ['b'], { object: object('h2') }, { lease, known });
    expect(await reclaimAll()).toEqual([]);
    expect((await metadata.findChunks([sha256('a')])).length).toBe(1);
  });

  test('an upload that stood still too long cannot refer to what is gone', async () => {
    await commit('old', ['a'], { object: object('h1') });
    const known = await metadata.findChunks([sha256('a')]);
    await metadata.deleteCache(cache.id);
    cache = await metadata.createCache('again', SETTINGS);
    now += 10;
    expect(await reclaimAll()).toEqual(['aa/00000001.pack']);
    await expect(commit('new', ['b'], { object: object('h2') }, { known })).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(await metadata.findObject(cache.id, 'h2')).toBeUndefined();
  });

  test('a deduplicated upload keeps its NAR until the object is written', async () => {
    await commit('nar', ['a'], { object: object('h1') });
    const { lease, nar } = await metadata.beginUpload(sha256('nar'));
    await metadata.deleteCache(cache.id);
    cache = await metadata.createCache('again', SETTINGS);
    expect(await reclaimAll()).toEqual([]);
    await metadata.useNar(nar!.id, { object: object('h1') }, lease);
    expect(await reclaimAll()).toEqual([]);
    expect(await metadata.oldestLease()).toBeUndefined();
    await expect(metadata.useNar(12_345, { object: object('h9') })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  test('a damaged pack makes its NARs absent, and the next push heals every path', async () => {
    await commit('nar', ['a'], { object: object('h1') });
    await commit('nar', ['a'], { object: object('h2') });
    const [location] = await metadata.findChunks([sha256('a')]);
    expect(await metadata.markPackDamaged(location!.pack)).toBe(1);
    expect(await metadata.missingPaths(cache.id, ['h1', 'h2'])).toEqual(['h1', 'h2']);
    expect(await metadata.findObject(cache.id, 'h1')).toBeUndefined();
    expect(await metadata.findChunks([sha256('a')])).toEqual([]);
    expect((await metadata.beginUpload(sha256('nar'))).nar).toBeUndefined();
    const healed = await commit('nar', ['a'], { object: object('h1') });
    expect(healed.adopted).toBe(true);
    expect(await metadata.missingPaths(cache.id, ['h1', 'h2'])).toEqual([]);
    await metadata.abandonAllLeases();
    expect(await reclaimAll()).toEqual(['aa/00000001.pack']);
  });

  test('reclaiming is let in', async () => {
    expect(await metadata.withMaintenanceLock('retention', async () => 'done')).toBe('done');
  });

  test('staged NARs wait under their name', async () => {
    const { nar } = await commit('nar', ['a'], {
      staged: { cacheId: cache.id, fileName: 'f.nar' },
    });
    expect((await metadata.findStagedNar(cache.id, 'f.nar'))?.id).toBe(nar.id);
    expect(await metadata.findStagedNar(cache.id, 'other')).toBeUndefined();
  });

  test('use is noted for every path at once', async () => {
    await commit('nar', ['a'], { object: object('h1') });
    await metadata.touch(cache.id, ['h1', 'h2'], now + 5);
    expect(await metadata.knownPackKeys(['aa/00000001.pack', 'zz/zz.pack'])).toEqual(
      new Set(['aa/00000001.pack']),
    );
  });

  test('a NAR of many chunks in many packs', async () => {
    const names = Array.from({ length: 700 }, (_, i) => `chunk ${i}`);
    for (let i = 0; i < 10; i += 1) {
      await commit(`part ${i}`, names.slice(i * 70, i * 70 + 70), { object: object(`p${i}`) });
    }
    const known = await metadata.findChunks(names.map(sha256));
    expect(known.length).toBe(700);
    const { nar } = await commit('whole', ['last'], { object: object('whole') }, { known });
    expect(nar.segments.length).toBe(701);
  });
}
