import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Segment } from '@flywheel/chunking';
import { packKeyOf } from '../store/pack-key.ts';
import { NEW_PACK, type Cache, type Metadata } from './metadata.ts';
import { TEST_SETTINGS } from './test-settings.ts';

const DAY_MS = 86_400_000;

/** What every database must do for retention, against an empty one and a clock that the test sets. */
export function retentionContract(open: (clock: { now(): number }) => Promise<Metadata>): void {
  let now: number;
  let metadata: Metadata;
  let cache: Cache;

  beforeEach(async () => {
    now = Date.UTC(2027, 0, 1);
    metadata = await open({ now: () => now });
    cache = await createCache('main');
  });
  afterEach(() => metadata.close());

  function createCache(name: string): Promise<Cache> {
    return metadata.createCache(name, TEST_SETTINGS);
  }

  /** A path with a NAR of these chunks, those that are known by reference. */
  async function push(name: string, chunkNames: readonly string[], into = cache): Promise<void> {
    const { lease } = await metadata.beginUpload(undefined);
    const known = await metadata.findChunks(chunkNames.map(sha256));
    const segments: Segment[] = [];
    const chunks = chunkNames.flatMap((text) => {
      const hash = sha256(text);
      const found = known.find((chunk) => chunk.hash.equals(hash));
      const chunk = { hash, pack: NEW_PACK, offset: 10 * segments.length, length: 10, size: 100 };
      const { pack, offset, length } = found ?? chunk;
      segments.push({ pack, offset, length });
      return found === undefined ? [chunk] : [];
    });
    await metadata.commitNar(
      {
        lease,
        hash: sha256(name),
        size: 100 * segments.length,
        pack: { key: packKeyOf(lease), size: 10 * segments.length },
        chunks,
        segments,
        fileSize: 10 * segments.length,
        listing: undefined,
      },
      {
        object: {
          cacheId: into.id,
          storePathHash: name,
          storePath: `/nix/store/${name}-x`,
          references: [],
          deriver: undefined,
          system: undefined,
          sigs: [],
          ca: undefined,
          createdBy: undefined,
        },
      },
    );
  }

  function pin(name: string, path: string, keepRevisions = 1, keepSeconds?: number) {
    return metadata.putPin({
      cacheId: cache.id,
      name,
      storePath: `/nix/store/${path}-x`,
      storePathHash: path,
      keepRevisions,
      keepSeconds,
      createdBy: 'ci',
    });
  }

  test('objects are scanned in order, with what decides about them', async () => {
    await push('b', ['1', '2']);
    await push('a', ['1']);
    const [first] = await metadata.scanObjects(cache.id, '', 1);
    expect(first).toMatchObject({ storePathHash: 'a', narSize: 100, fileSize: 10, doomed: false });
    expect(first?.lastUsedAt).toBe(now);
    const rest = await metadata.scanObjects(cache.id, 'a', 10);
    expect(rest.map(({ storePathHash }) => storePathHash)).toEqual(['b']);
    expect(await metadata.storePaths(cache.id, ['b', 'zz'])).toEqual(
      new Map([['b', '/nix/store/b-x']]),
    );
    expect(await metadata.countUses([first!.narId, 999])).toEqual(new Map([[first!.narId, 1]]));
    expect(await metadata.currentTime()).toBe(now);
  });

  test('pushes are found in their order, also when several have the same time', async () => {
    await push('a', ['1']);
    now += 10;
    const since = { pushedAt: now, storePathHash: '' };
    for (const name of ['c', 'b', 'd']) await push(name, [name]);
    now += 10;
    await push('a', ['2']);
    const pushed = await metadata.pushedAfter(cache.id, since, 3);
    expect(pushed.map(({ storePathHash }) => storePathHash)).toEqual(['b', 'c', 'd']);
    expect(pushed[0]).toEqual({ storePathHash: 'b', references: [], pushedAt: since.pushedAt });
    const [last, ...more] = await metadata.pushedAfter(cache.id, pushed[2]!, 3);
    expect(last).toMatchObject({ storePathHash: 'a', pushedAt: now });
    expect(more).toEqual([]);
  });

  test('what is marked is missing to pushers and there for readers, until it is used', async () => {
    for (const name of ['a', 'b', 'c']) await push(name, [name]);
    now += DAY_MS;
    await metadata.touch(cache.id, ['c'], now);
    await metadata.doomObjects(cache.id, ['a', 'b', 'c'], now - 1);
    expect(await metadata.missingPaths(cache.id, ['a', 'b', 'c'])).toEqual(['a', 'b']);
    expect(await metadata.findObject(cache.id, 'a')).toBeDefined();
    now += 1;
    await metadata.touch(cache.id, ['a'], now);
    await push('b', ['b']);
    expect(await metadata.missingPaths(cache.id, ['a', 'b', 'c'])).toEqual([]);
    await metadata.doomObjects(cache.id, ['c'], now);
    await metadata.spareObjects(cache.id, ['a', 'b', 'c']);
    expect(await metadata.missingPaths(cache.id, ['a', 'b', 'c'])).toEqual([]);
  });

  test('only what was not used since goes, and not what the others keep', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await push(name, [name]);
    const usedBefore = now;
    await metadata.doomObjects(cache.id, ['a', 'b', 'c'], usedBefore);
    const doomedBefore = now;
    now += 10;
    await metadata.touch(cache.id, ['a'], now);
    const { pinsVersion } = await metadata.pinnedPaths(cache.id);
    const seen: (readonly string[])[] = [];
    const removed = await metadata.removeExpired({
      cacheId: cache.id,
      hashes: ['a', 'b', 'c', 'd', 'gone'],
      usedBefore,
      doomedBefore,
      pinsVersion,
      without(kept) {
        seen.push(kept.toSorted());
        // As if `a` referred to `b`.
        return ['c'];
      },
    });
    expect(seen).toEqual([['a', 'd', 'gone']]);
    expect(removed).toEqual(['c']);
    expect((await metadata.scanObjects(cache.id, '', 10)).length).toBe(3);
  });

  test('nothing goes by a plan that does not know of a pin', async () => {
    for (const name of ['a', 'b']) await push(name, [name]);
    const { pinsVersion } = await metadata.pinnedPaths(cache.id);
    await pin('main', 'a');
    const removal = {
      cacheId: cache.id,
      hashes: ['a', 'b'],
      usedBefore: now,
      doomedBefore: undefined,
      without: () => ['a', 'b'],
    };
    expect(await metadata.removeExpired({ ...removal, pinsVersion })).toBeUndefined();
    expect((await metadata.scanObjects(cache.id, '', 10)).length).toBe(2);
    const pinned = await metadata.pinnedPaths(cache.id);
    expect(pinned.hashes).toEqual(['a']);
    const { pinsVersion: current } = pinned;
    expect(await metadata.removeExpired({ ...removal, pinsVersion: current })).toEqual(['a', 'b']);
    await metadata.deleteCache(cache.id);
    expect(await metadata.removeExpired({ ...removal, pinsVersion: current })).toBeUndefined();
  });

  test('a pin keeps its newest revisions, and those that are young', async () => {
    for (const name of ['a', 'b', 'c']) await push(name, [name]);
    await expect(pin('main', 'absent')).rejects.toMatchObject({ code: 'not-found' });
    await pin('main', 'a', 2);
    await pin('main', 'b', 2);
    // A path that is set again is the newest again, not there twice.
    expect((await pin('main', 'a', 2)).revisions.map((each) => each.revision)).toEqual([3, 2]);
    expect((await pin('main', 'c', 2)).revisions.map((each) => each.storePathHash)).toEqual([
      'c',
      'a',
    ]);
    await pin('young', 'b', 0, 60);
    expect((await metadata.pinnedPaths(cache.id)).hashes.toSorted()).toEqual(['a', 'b', 'c']);
    now += 60_001;
    expect((await metadata.pinnedPaths(cache.id)).hashes.toSorted()).toEqual(['a', 'c']);
    expect((await metadata.listPins(cache.id)).map(({ name }) => name)).toEqual(['main', 'young']);
    expect(await metadata.removePin(cache.id, 'main')).toBe(true);
    expect(await metadata.removePin(cache.id, 'main')).toBe(false);
    expect((await metadata.pinnedPaths(cache.id)).hashes).toEqual([]);
  });

  test('a cache is gone at once, also when its objects are not yet', async () => {
    await push('a', ['a']);
    const interrupted = metadata.deleteCache(cache.id, () => Promise.reject(new Error('killed')));
    await expect(interrupted).rejects.toThrow('killed');
    expect(await metadata.findCache('main')).toBeUndefined();
    expect(await metadata.listCaches()).toEqual([]);
    expect(await metadata.deleteCache(cache.id)).toBe(false);
    const again = await createCache('main');
    await push('b', ['b'], again);
    await metadata.removeDeletedCaches();
    expect(await metadata.statistics()).toMatchObject({ caches: 1, objects: 1 });
  });

  test('a run waits, is taken up, reports, and ends; the same is not asked for twice', async () => {
    const request = { kind: 'retention', options: { dry_run: true }, requestedBy: 'ada' };
    expect(await metadata.hasOpenRun('retention')).toBe(false);
    const asked = await metadata.requestRun(request);
    expect(asked).toMatchObject({ state: 'waiting', requestedBy: 'ada', requestedAt: now });
    expect((await metadata.requestRun(request)).id).toBe(asked.id);
    const other = await metadata.requestRun({ ...request, options: {} });
    expect(other.id).toBeGreaterThan(asked.id);
    expect(await metadata.takeRun('scrub')).toBeUndefined();
    expect(await metadata.takeRun('retention')).toMatchObject({ id: asked.id, attempts: 1 });
    await metadata.reportRun(asked.id, { step: 'looking', done: 5 });
    expect(await metadata.findRun(asked.id)).toMatchObject({
      state: 'running',
      progress: { step: 'looking', done: 5 },
    });
    // Its process died: whoever has the lock takes it up again.
    expect(await metadata.takeRun('retention')).toMatchObject({ id: asked.id, attempts: 2 });
    await metadata.returnRun(asked.id);
    expect(await metadata.takeRun('retention')).toMatchObject({ id: asked.id, attempts: 2 });
    await metadata.finishRun(asked.id, { result: { paths: 3 } });
    expect(await metadata.takeRun('retention')).toMatchObject({ id: other.id });
    await metadata.finishRun(other.id, { error: 'no database' });
    expect(await metadata.hasOpenRun('retention')).toBe(false);
    expect(await metadata.latestRun('retention')).toMatchObject({
      id: other.id,
      state: 'failed',
      error: 'no database',
      finishedAt: now,
    });
    expect(await metadata.latestRun('retention', true)).toBeUndefined();
    expect((await metadata.listRuns(10)).map(({ id }) => id)).toEqual([other.id, asked.id]);
  });

  test('two hundred runs are remembered, and those that wait', async () => {
    const waiting = await metadata.requestRun({ kind: 'other', options: {}, requestedBy: 'ada' });
    for (let i = 0; i < 203; i += 1) {
      const run = await metadata.requestRun({ kind: 'x', options: {}, requestedBy: undefined });
      await metadata.takeRun('x');
      await metadata.finishRun(run.id, { result: i });
    }
    const runs = await metadata.listRuns(1000);
    expect(runs.length).toBe(201);
    expect(runs.at(-1)?.id).toBe(waiting.id);
    expect(runs[0]?.result).toBe(202);
  });

  test('a pack that has lost a NAR is weighed, rewritten, and kept for its readers', async () => {
    const gone = await createCache('gone');
    await push('lender', ['1', '2', '3', '4'], gone);
    await push('borrower', ['2', '3', '5']);
    expect(await metadata.sparsePacks(0, 10)).toEqual([]);
    await metadata.deleteCache(gone.id);
    await metadata.removeUnusedNars(10);
    const [source] = await metadata.sparsePacks(0, 10);
    expect(source).toMatchObject({ size: 40, live: [{ offset: 10, length: 20 }] });

    const { lease } = await metadata.beginUpload(undefined);
    const pack = { key: packKeyOf(lease), size: 20 };
    const frames = [
      { offset: 10, length: 10, newOffset: 0 },
      { offset: 20, length: 10, newOffset: 10 },
    ];
    const id = await metadata.commitRepack({ lease, source: source!.id, pack, frames });
    const moved = await metadata.findObject(cache.id, 'borrower');
    expect(moved?.nar.segments[0]).toEqual({ pack: id, offset: 0, length: 20 });
    // The answer was lost: the same again.
    expect(await metadata.commitRepack({ lease, source: source!.id, pack, frames })).toBe(id);

    expect(await metadata.findChunks([sha256('2')])).toEqual([]);
    const chunk = { hash: sha256('2'), pack: NEW_PACK, offset: 0, length: 10, size: 100 };
    await metadata.moveChunks(id!, [chunk]);
    expect(await metadata.findChunks([sha256('2')])).toMatchObject([{ pack: id, offset: 0 }]);
    expect(await metadata.condemnedPacks(10)).toEqual([]);
    now += 3_600_001;
    expect(await metadata.condemnedPacks(10)).toMatchObject([{ id: source!.id }]);
    await metadata.removePacks([source!.id]);
    expect(await metadata.findChunks([sha256('1'), sha256('2')])).toMatchObject([{ pack: id }]);
    expect(await metadata.sparsePacks(0, 10)).toEqual([]);
  });

  test('a NAR that came meanwhile and needs more than was copied stops a repacking', async () => {
    const gone = await createCache('gone');
    await push('lender', ['1', '2', '3', '4'], gone);
    await push('borrower', ['2', '5']);
    await metadata.deleteCache(gone.id);
    await metadata.removeUnusedNars(10);
    const [source] = await metadata.sparsePacks(0, 10);
    const { lease } = await metadata.beginUpload(undefined);
    await push('late', ['2', '3', '4', '6']);
    const pack = { key: packKeyOf(lease), size: 10 };
    const frames = [{ offset: 10, length: 10, newOffset: 0 }];
    const answer = await metadata.commitRepack({ lease, source: source!.id, pack, frames });
    expect(answer).toBeUndefined();
    expect(await metadata.deadLeases(10)).toEqual([lease]);
    const late = await metadata.findObject(cache.id, 'late');
    expect(late?.nar.segments[0]).toMatchObject({ pack: source!.id, offset: 10 });
  });
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
