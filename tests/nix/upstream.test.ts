import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isMissing, startNginx } from '@flywheel/testing';
import type { Nginx } from '@flywheel/testing';
import { describeEachNix } from './each-nix.ts';
import { startProxy } from './proxy.ts';
import { createCache, hashOf, openSite } from './site.ts';
import type { Site, TestCache } from './site.ts';

// The upstream is what nix itself writes with `nix copy --to file://`, behind nginx.

describeEachNix('a cache with an upstream', (nix) => {
  let site: Site;
  let root: string;
  let nginx: Nginx | undefined;
  let publicKey: string;
  beforeAll(async () => {
    site = await openSite(nix, 40);
    root = await mkdtemp(join(tmpdir(), 'upstream-'));
    const secret = join(root, 'secret');
    await writeFile(
      secret,
      await site.builder.mustRun(['nix', 'key', 'generate-secret', '--key-name', 'upstream-1']),
    );
    publicKey = await site.builder.mustRun(['nix', 'key', 'convert-secret-to-public'], {
      input: await readFile(secret, 'utf8'),
    });
    const target = `file://${join(root, 'cache')}?compression=xz&secret-key=${secret}`;
    await site.builder.mustRun(['nix', 'copy', '--to', target, site.closure.root]);
    const found = await startNginx({ root: join(root, 'cache') });
    nginx = isMissing(found) ? undefined : found;
  }, 120_000);
  afterAll(async () => {
    await nginx?.[Symbol.asyncDispose]();
    await site?.[Symbol.asyncDispose]();
    if (root !== undefined) await rm(root, { recursive: true, force: true });
  });

  function upstreamUrl(): string {
    return nginx?.url ?? '';
  }

  async function cacheOver(name: string, url: string, key = publicKey): Promise<TestCache> {
    const cache = await createCache(site.server, name, { isPublic: true });
    const answer = await fetch(`${site.server.url}_flywheel/v1/caches/${name}/upstreams`, {
      method: 'PUT',
      headers: {
        authorization: `bearer ${site.server.adminToken}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ upstreams: [{ url, public_keys: [key] }] }),
    });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    return cache;
  }

  test('gives a closure that it has never seen, and then has it', async ({ skip }) => {
    skip(nginx === undefined, 'no nginx');
    await using proxy = await startProxy(upstreamUrl());
    const cache = await cacheOver('through', proxy.url);

    for (const turn of ['first', 'second']) {
      await using store = await nix.openStore({
        settings: { substituters: cache.url, 'trusted-public-keys': cache.publicKey },
      });
      await store.mustRun(['nix-store', '--realise', site.closure.root]);
      await store.mustRun(['nix-store', '--verify', '--check-contents']);
      await store.mustRun(['nix', 'store', 'verify', '--all']);
      const there = await store.mustRun([
        'nix-store',
        '--query',
        '--requisites',
        site.closure.root,
      ]);
      expect(there.split('\n').toSorted(), turn).toEqual(site.closure.paths.toSorted());
    }

    const nars = proxy.requests.filter(({ path }) => path.startsWith('/nar/'));
    // Each path once, whoever asked and however often; again only where a transfer broke.
    expect(new Set(nars.map(({ path }) => path)).size).toBe(40);
    expect(nars.length).toBeLessThan(45);
    const narInfos = proxy.requests.filter(({ path }) => path.endsWith('.narinfo'));
    expect(narInfos).toHaveLength(40);

    // What is stored needs no upstream, and carries both signatures.
    const info = await (await fetch(`${cache.url}/${hashOf(site.closure.root)}.narinfo`)).text();
    expect(info.match(/^Sig: [^:]+/gm)).toEqual(['Sig: through', 'Sig: upstream-1']);
    await using upstreamOnly = await nix.openStore({
      settings: { substituters: cache.url, 'trusted-public-keys': publicKey },
    });
    await upstreamOnly.mustRun(['nix-store', '--realise', site.closure.root]);
  });

  test('gives nothing under a key that did not sign it', async ({ skip }) => {
    skip(nginx === undefined, 'no nginx');
    const other = await createCache(site.server, 'stranger', { isPublic: true });
    const cache = await cacheOver('distrust', upstreamUrl(), other.publicKey);
    const statuses = await Promise.all(
      site.closure.paths.map(async (path) => {
        return (await fetch(`${cache.url}/${hashOf(path)}.narinfo`)).status;
      }),
    );
    expect(new Set(statuses)).toEqual(new Set([404]));
  });

  test('gives nothing damaged as whole', async ({ skip }) => {
    skip(nginx === undefined, 'no nginx');
    const cache = await cacheOver('damaged', upstreamUrl());
    const nars = join(root, 'cache', 'nar');
    const originals = new Map<string, Buffer>();
    for (const file of await readdir(nars)) {
      const bytes = await readFile(join(nars, file));
      originals.set(file, bytes);
      // A valid file of another NAR under each name.
      const other = [...originals.values()][0] as Buffer;
      if (originals.size > 1) await writeFile(join(nars, file), other);
    }
    await using store = await nix.openStore({
      settings: { substituters: cache.url, 'trusted-public-keys': cache.publicKey },
    });
    const realised = await store.run(['nix-store', '--realise', site.closure.root]);
    for (const [file, bytes] of originals) await writeFile(join(nars, file), bytes);
    expect(realised.status).not.toBe(0);
    await store.mustRun(['nix-store', '--verify', '--check-contents']);
  });

  test('goes on after its upstream broke off in the middle', async ({ skip }) => {
    skip(nginx === undefined, 'no nginx');
    let cut = '';
    await using proxy = await startProxy(upstreamUrl(), {
      when: ({ path }) => {
        if (!path.startsWith('/nar/') || cut !== '') return false;
        cut = path;
        return true;
      },
      afterBytes: 300,
    });
    const cache = await cacheOver('broken', proxy.url);
    await using store = await nix.openStore({
      settings: { substituters: cache.url, 'trusted-public-keys': cache.publicKey },
    });
    await store.run(['nix-store', '--realise', site.closure.root]);
    expect(cut).not.toBe('');
    // nix remembers for a minute that the cache failed, where it does.
    await using again = await nix.openStore({
      settings: { substituters: cache.url, 'trusted-public-keys': cache.publicKey },
    });
    await again.mustRun(['nix-store', '--realise', site.closure.root]);
    await again.mustRun(['nix-store', '--verify', '--check-contents']);
  });

  test('serves what it has when its upstream is gone', async ({ skip }) => {
    skip(nginx === undefined, 'no nginx');
    const proxy = await startProxy(upstreamUrl());
    const cache = await cacheOver('alone', proxy.url);
    const settings = { substituters: cache.url, 'trusted-public-keys': cache.publicKey };
    await using first = await nix.openStore({ settings });
    await first.mustRun(['nix-store', '--realise', site.closure.root]);
    await proxy[Symbol.asyncDispose]();
    await using second = await nix.openStore({ settings });
    await second.mustRun(['nix-store', '--realise', site.closure.root]);
    const absent = await fetch(`${cache.url}/${'0'.repeat(32)}.narinfo`);
    expect(absent.status).toBe(404);
  });
});
