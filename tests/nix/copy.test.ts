import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeEachNix } from './each-nix.ts';
import { startProxy } from './proxy.ts';
import { createCache, hashOf, openSite } from './site.ts';
import type { Site, TestCache } from './site.ts';

describeEachNix('a closure of 60 paths', (nix) => {
  let site: Site;
  let cache: TestCache;
  beforeAll(async () => {
    site = await openSite(nix, 60);
    cache = await createCache(site.server, 'copy', { isPublic: true });
  }, 120_000);
  afterAll(() => site?.[Symbol.asyncDispose]());

  test('goes up with nix copy --to', async () => {
    await site.builder.mustRun(['nix', 'copy', '--to', cache.url, site.closure.root]);
    const answers = await Promise.all(
      site.closure.paths.map((path) => fetch(`${cache.url}/${hashOf(path)}.narinfo`)),
    );
    expect(answers.map((answer) => answer.status)).toEqual(site.closure.paths.map(() => 200));
  });

  test('uploads nothing when it is copied again', async () => {
    // Through another address, so that nix's own cache on disk has not heard of it.
    await using proxy = await startProxy(site.server.url);
    const url = `${proxy.url}${cache.name}`;
    await site.builder.mustRun(['nix', 'copy', '--to', url, site.closure.root]);
    const asked = proxy.requests.filter((request) => request.path.endsWith('.narinfo'));
    expect(asked.length).toBeGreaterThanOrEqual(60);
    expect(proxy.requests.filter((request) => request.method === 'PUT')).toEqual([]);
  });

  test('comes down anonymously with nix copy --from, signed', async () => {
    await using store = await nix.openStore({
      settings: { 'trusted-public-keys': cache.publicKey },
    });
    await store.mustRun(['nix', 'copy', '--from', cache.url, site.closure.root]);
    expect(await registered(store)).toEqual(await registered(site.builder, site.closure.root));
    await store.mustRun(['nix-store', '--verify', '--check-contents']);
    await store.mustRun(['nix-store', '--verify-path', ...site.closure.paths]);
    // Signatures as nix sees them: every path has one that it trusts.
    await store.mustRun(['nix', 'store', 'verify', '--all']);
  });

  test('comes down with nix-store -r from a substituter, signed', async () => {
    await using store = await nix.openStore({
      settings: { substituters: cache.url, 'trusted-public-keys': cache.publicKey },
    });
    await store.mustRun(['nix-store', '--realise', site.closure.root]);
    expect(await registered(store)).toEqual(await registered(site.builder, site.closure.root));
    await store.mustRun(['nix-store', '--verify', '--check-contents']);
  });

  test('is refused under a key that did not sign it', async () => {
    const other = await createCache(site.server, 'other', { isPublic: true });
    await using store = await nix.openStore({
      settings: { substituters: cache.url, 'trusted-public-keys': other.publicKey },
    });
    const copied = await store.run(['nix', 'copy', '--from', cache.url, site.closure.root]);
    expect(copied.status).not.toBe(0);
    expect(copied.stderr).toMatch(/lacks a (?:valid signature|signature by a trusted key)/);
    expect((await store.run(['nix-store', '--realise', site.closure.root])).status).not.toBe(0);
    // What its own name proves needs no signature; nothing else got in.
    const arrived = await store.mustRun(['nix', 'path-info', '--all']);
    expect(arrived.split('\n').filter((path) => !/-(?:text|tree|fixed)$/.test(path))).toEqual([]);
  });
});

/** What a store knows of its paths: name, NAR hash and size, references. Closure of `root`, or all. */
async function registered(store: Site['builder'], root?: string): Promise<string[]> {
  const which = root === undefined ? ['--all'] : ['--recursive', root];
  const paths = await store.mustRun(['nix', 'path-info', ...which]);
  const sorted = paths.split('\n').sort();
  const [hashes, sizes, references] = await Promise.all(
    ['--hash', '--size', '--references'].map((what) =>
      store.mustRun(['nix-store', '--query', what, ...sorted]),
    ),
  );
  return [...sorted, ...[hashes, sizes, references].map(String)];
}
