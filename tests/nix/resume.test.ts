import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeEachNix } from './each-nix.ts';
import { startProxy } from './proxy.ts';
import { createCache, narUrlOf, openSite } from './site.ts';
import type { Site, TestCache } from './site.ts';

const CUT_AFTER = 700_000;

describeEachNix('a download that breaks', (nix) => {
  let site: Site;
  let cache: TestCache;
  beforeAll(async () => {
    site = await openSite(nix, 14);
    cache = await createCache(site.server, 'resume', { isPublic: true });
    await site.builder.mustRun(['nix', 'copy', '--to', cache.url, site.closure.root]);
  }, 120_000);
  afterAll(() => site?.[Symbol.asyncDispose]());

  test('is resumed where it broke, and arrives intact', async () => {
    const big = site.closure.paths.find((path) => path.endsWith('-node-5')) ?? '';
    const narPath = `/${cache.name}/${await narUrlOf(cache, big)}`;
    await using proxy = await startProxy(site.server.url, {
      when: (request) => request.method === 'GET' && request.path === narPath,
      afterBytes: CUT_AFTER,
    });
    const substituter = `${proxy.url}${cache.name}`;
    await using store = await nix.openStore({
      settings: { substituters: substituter, 'trusted-public-keys': cache.publicKey },
    });
    await store.mustRun(['nix-store', '--realise', big]);
    await store.mustRun(['nix-store', '--verify-path', big]);

    const [first, second, ...more] = proxy.requests.filter((request) => request.path === narPath);
    expect(more).toEqual([]);
    expect(first?.headers['range']).toBeUndefined();
    const from = Number(/^bytes=(\d+)-$/.exec(second?.headers['range'] ?? '')?.[1]);
    // All that arrived before the cut, less the answer's head.
    expect(from).toBeGreaterThan(CUT_AFTER - 2000);
    expect(from).toBeLessThan(CUT_AFTER);
  });
});
