import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isMissing, startPostgres } from '@flywheel/testing';
import type { Postgres } from '@flywheel/testing';
import { LEASE_MS } from '../../packages/cache/src/db/leases.ts';
import type { Cache, Metadata } from '../../packages/cache/src/db/metadata.ts';
import {
  createCache,
  halted,
  narCommit,
  objectUse,
  openReplica,
  sha256,
  upload,
  type Halted,
  type Replica,
} from './postgres-replica.ts';

// What happens when one replica stands still just before it commits and another one comes along.

const found = await startPostgres();
const postgres = found as Postgres;

afterAll(async () => {
  if (!isMissing(found)) await postgres[Symbol.asyncDispose]();
});

if (isMissing(found)) test('PostgreSQL', ({ skip }) => skip(true, found.missing));

describe.skipIf(isMissing(found))('races', () => {
  let now: number;
  let here: Replica;
  let there: Replica;
  let slow: Halted;
  let metadata: Metadata;
  let cache: Cache;

  beforeEach(async () => {
    now = Date.UTC(2027, 0, 1);
    const clock = { now: () => now };
    const url = await postgres.createDatabase();
    here = await openReplica(url, clock);
    there = await openReplica(url, clock);
    slow = halted(there, clock);
    metadata = here.metadata;
    cache = await createCache(metadata);
  });

  afterEach(async () => {
    slow.letGo();
    await here[Symbol.asyncDispose]();
    await there[Symbol.asyncDispose]();
  });

  const use = (hash: string) => objectUse(cache.id, hash);

  /** All that was in the cache is of no use any more. */
  async function emptyCache(): Promise<void> {
    await metadata.deleteCache(cache.id);
    cache = await createCache(metadata);
    now += 10;
  }

  /** Whether it is still waiting for somebody after a while. */
  async function waits(work: Promise<unknown>): Promise<boolean> {
    const ended = work.then(
      () => false,
      () => false,
    );
    return Promise.race([ended, sleep(300, true)]);
  }

  async function condemnAndList(): Promise<readonly string[]> {
    await metadata.removeUnusedNars(100);
    await metadata.condemnPacks();
    return (await metadata.condemnedPacks(100)).map((pack) => pack.key);
  }

  test('two commits of the same NAR: the second waits and adopts the first', async () => {
    const { lease } = await metadata.beginUpload(undefined);
    const { lease: slowLease } = await metadata.beginUpload(undefined);

    const first = slow.metadata.commitNar(narCommit(slowLease, 'nar', ['a', 'b']), use('h1'));
    await slow.standing;
    const second = metadata.commitNar(narCommit(lease, 'nar', ['a', 'b']), use('h2'));
    expect(await waits(second)).toBe(true);
    slow.letGo();

    expect((await first).adopted).toBe(true);
    expect((await second).adopted).toBe(false);
    expect((await second).nar.id).toBe((await first).nar.id);
    expect(await metadata.statistics()).toMatchObject({ nars: 1, packs: 1, objects: 2 });
  });

  test('two pushes that heal the same NAR: one does, the other adopts', async () => {
    const { nar } = await upload(metadata, 'nar', ['a'], use('h1'));
    await metadata.markPackDamaged(nar.segments[0]!.pack);
    const { lease } = await metadata.beginUpload(undefined);
    const { lease: slowLease } = await metadata.beginUpload(undefined);

    const first = slow.metadata.commitNar(narCommit(slowLease, 'nar', ['a']), use('h1'));
    await slow.standing;
    const second = metadata.commitNar(narCommit(lease, 'nar', ['a']), use('h2'));
    expect(await waits(second)).toBe(true);
    slow.letGo();

    expect(await first).toMatchObject({ adopted: true, nar: { id: nar.id } });
    expect(await second).toMatchObject({ adopted: false, nar: { id: nar.id } });
  });

  test('a NAR that an upload has just found is not removed', async () => {
    const { nar } = await upload(metadata, 'nar', ['a'], use('h1'));
    await emptyCache();

    const begun = slow.metadata.beginUpload(sha256('nar'));
    await slow.standing;
    expect(await metadata.removeUnusedNars(100)).toBe(0);
    slow.letGo();

    const { lease } = await begun;
    expect(await metadata.removeUnusedNars(100)).toBe(0);
    await metadata.useNar(nar.id, use('h2'), lease);
    expect(await metadata.findObject(cache.id, 'h2')).toBeDefined();
  });

  test('a NAR that is being removed is not found', async () => {
    const { nar } = await upload(metadata, 'nar', ['a'], use('h1'));
    await emptyCache();

    const removed = slow.metadata.removeUnusedNars(100);
    await slow.standing;
    const begun = metadata.beginUpload(sha256('nar'));
    const used = metadata.useNar(nar.id, use('h2'));
    expect(await waits(Promise.race([begun, used]))).toBe(true);
    slow.letGo();

    expect(await removed).toBe(1);
    expect((await begun).nar).toBeUndefined();
    await expect(used).rejects.toMatchObject({ code: 'conflict' });
  });

  test('a NAR that is being used is not removed', async () => {
    const { nar } = await upload(metadata, 'nar', ['a'], use('h1'));
    await emptyCache();

    const used = slow.metadata.useNar(nar.id, use('h2'));
    await slow.standing;
    expect(await condemnAndList()).toEqual([]);
    slow.letGo();

    await used;
    expect(await condemnAndList()).toEqual([]);
    expect(await metadata.findObject(cache.id, 'h2')).toBeDefined();
  });

  test('an upload whose lease runs out while it commits leaves no trace to be removed', async () => {
    const { lease } = await metadata.beginUpload(undefined);

    const committed = slow.metadata.commitNar(narCommit(lease, 'nar', ['a']), use('h1'));
    await slow.standing;
    now += 2 * LEASE_MS;
    expect(await metadata.deadLeases(10)).toEqual([]);
    slow.letGo();

    await committed;
    expect(await metadata.deadLeases(10)).toEqual([]);
    expect(await condemnAndList()).toEqual([]);
  });

  test('an upload whose lease is being declared dead commits nothing', async () => {
    const { lease } = await metadata.beginUpload(undefined);
    now += 2 * LEASE_MS;
    expect(await metadata.deadLeases(10)).toEqual([lease]);
    // Its own clock has not seen it yet.
    now -= 2 * LEASE_MS;

    const committed = metadata.commitNar(narCommit(lease, 'nar', ['a']), use('h1'));

    await expect(committed).rejects.toMatchObject({ code: 'conflict' });
    await expect(metadata.renewLease(lease)).rejects.toMatchObject({ code: 'conflict' });
    expect(await metadata.statistics()).toMatchObject({ nars: 0, packs: 0, chunks: 0 });
  });

  test('a pack that a commit is about to refer to is neither condemned nor removed', async () => {
    await upload(metadata, 'old', ['a'], use('h1'));
    const known = await metadata.findChunks([sha256('a')]);
    const { lease } = await metadata.beginUpload(undefined);
    await emptyCache();

    const committed = slow.metadata.commitNar(narCommit(lease, 'new', ['b'], known), use('h2'));
    await slow.standing;
    // As if its lease, and with it what protects the pack, were over.
    now += 2 * LEASE_MS;
    expect(await condemnAndList()).toEqual([]);
    slow.letGo();

    await committed;
    expect(await condemnAndList()).toEqual([]);
    expect(await metadata.findChunks([sha256('a')])).toEqual(known);
  });

  test('a pack that is on its way out is not referred to, whatever the clocks say', async () => {
    const old = await upload(metadata, 'old', ['a'], use('h1'));
    const known = await metadata.findChunks([sha256('a')]);
    await emptyCache();
    const { nar } = old;
    const removed = await condemnAndList();
    expect(removed.length).toBe(1);

    // An upload that has found the chunk before, and whose lease nobody knew.
    const { lease } = await metadata.beginUpload(undefined);
    const committed = metadata.commitNar(narCommit(lease, 'new', ['b'], known), use('h2'));

    await expect(committed).rejects.toMatchObject({ code: 'conflict' });
    // A crash before the rows went: the next run finds the pack again.
    await metadata.abandonLease(lease);
    expect(await condemnAndList()).toEqual(removed);
    await metadata.removePacks([nar.segments[0]!.pack]);
    expect(await metadata.statistics()).toMatchObject({ nars: 0, packs: 0, chunks: 0 });
  });

  test('damage waits for commits into the pack, and takes their NARs along', async () => {
    const { nar: old } = await upload(metadata, 'old', ['a'], use('h1'));
    const known = await metadata.findChunks([sha256('a')]);
    const { lease } = await metadata.beginUpload(undefined);

    const committed = slow.metadata.commitNar(narCommit(lease, 'new', ['b'], known), use('h2'));
    await slow.standing;
    const marked = metadata.markPackDamaged(old.segments[0]!.pack);
    expect(await waits(marked)).toBe(true);
    slow.letGo();

    await committed;
    expect(await marked).toBe(2);
    expect(await metadata.missingPaths(cache.id, ['h1', 'h2'])).toEqual(['h1', 'h2']);
  });

  test('nothing is committed into a pack that is known to be damaged', async () => {
    const { nar: old } = await upload(metadata, 'old', ['a'], use('h1'));
    const known = await metadata.findChunks([sha256('a')]);
    const { lease } = await metadata.beginUpload(undefined);

    const marked = slow.metadata.markPackDamaged(old.segments[0]!.pack);
    await slow.standing;
    const committed = metadata.commitNar(narCommit(lease, 'new', ['b'], known), use('h2'));
    expect(await waits(committed)).toBe(true);
    slow.letGo();

    await marked;
    await expect(committed).rejects.toMatchObject({ code: 'conflict' });
  });

  test('a cache that is being deleted takes no path any more', async () => {
    const { nar } = await upload(metadata, 'nar', ['a'], use('h1'));
    const { id } = await createCache(metadata, 'empty');

    const deleted = slow.metadata.deleteCache(id);
    await slow.standing;
    const used = metadata.useNar(nar.id, objectUse(id, 'h2'));
    expect(await waits(used)).toBe(true);
    slow.letGo();

    expect(await deleted).toBe(true);
    await expect(used).rejects.toMatchObject({ code: 'conflict' });
  });

  test('a chunk of a condemned pack is found where it was stored again', async () => {
    await upload(metadata, 'old', ['a'], use('h1'));
    const { lease } = await metadata.beginUpload(undefined);
    await emptyCache();
    await metadata.removeUnusedNars(100);
    await metadata.condemnPacks();

    const { nar } = await metadata.commitNar(narCommit(lease, 'new', ['a']), use('h2'));

    expect(await condemnAndList()).toHaveLength(1);
    const [location] = await metadata.findChunks([sha256('a')]);
    expect(location?.pack).toBe(nar.segments[0]!.pack);
  });

  test('commits and notes of use in opposite orders never wait in a circle', async () => {
    const names = Array.from({ length: 400 }, (_, i) => `chunk ${i}`);
    const hashes = Array.from({ length: 200 }, (_, i) => `h${i}`);
    const { nar } = await upload(metadata, 'nar', ['a'], use('h0'));
    for (const hash of hashes) await metadata.useNar(nar.id, use(hash));

    const replicas = [metadata, there.metadata];
    for (let round = 0; round < 5; round += 1) {
      const fresh = names.map((name) => `${name} of ${round}`);
      await Promise.all(
        replicas.flatMap((replica, i) => [
          upload(replica, `a ${round} ${i}`, fresh, use('h1')),
          upload(replica, `b ${round} ${i}`, fresh.toReversed(), use('h2')),
          replica.touch(cache.id, i === 0 ? hashes : hashes.toReversed(), now + round),
        ]),
      );
    }

    expect(await metadata.statistics()).toMatchObject({ chunks: 2001 });
    expect(await postgres.sql('select sum(deadlocks) from pg_stat_database')).toBe('0');
  });
});
