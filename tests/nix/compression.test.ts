import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeEachNix } from './each-nix.ts';
import { createCache, openSite } from './site.ts';
import type { Site } from './site.ts';

// What nix can write. It sends a NAR the way it was told to compress it; ours decides how to keep it.
const COMPRESSIONS = ['none', 'xz', 'bzip2', 'gzip', 'zstd', 'br'] as const;

describeEachNix('nix copy --to with each compression', (nix) => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite(nix, 14);
  }, 120_000);
  afterAll(() => site?.[Symbol.asyncDispose]());

  for (const compression of COMPRESSIONS) {
    test(compression, async () => {
      const cache = await createCache(site.server, `c-${compression}`, { isPublic: true });
      const { root, paths } = site.closure;
      const to = `${cache.url}?compression=${compression}`;
      await site.builder.mustRun(['nix', 'copy', '--to', to, root]);
      await using store = await nix.openStore({
        settings: { 'trusted-public-keys': cache.publicKey },
      });
      await store.mustRun(['nix', 'copy', '--from', cache.url, root]);
      const arrived = await store.mustRun(['nix-store', '--query', '--requisites', root]);
      expect(arrived.split('\n').sort()).toEqual([...paths].sort());
      await store.mustRun(['nix-store', '--verify', '--check-contents']);
    });
  }
});
