import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunResult } from '@flywheel/testing';
import { describeEachNix } from './each-nix.ts';
import { createCache, netrcFor, openSite } from './site.ts';
import type { Site, TestCache } from './site.ts';

// Old versions of nix say nothing of the status, and take a cache that answers 401 for none at all.
const REFUSAL = /\b40[13]\b|does not appear to be a binary cache/;

describeEachNix('a private cache', (nix) => {
  let site: Site;
  let cache: TestCache;
  beforeAll(async () => {
    site = await openSite(nix, 12);
    cache = await createCache(site.server, 'private', { isPublic: false });
    await site.builder.mustRun(['nix', 'copy', '--to', cache.url, site.closure.root]);
  }, 120_000);
  afterAll(() => site?.[Symbol.asyncDispose]());

  const pull = async (netrc: string | undefined): Promise<RunResult> => {
    await using store = await nix.openStore({
      settings: { substituters: cache.url, 'trusted-public-keys': cache.publicKey },
      ...(netrc === undefined ? {} : { netrc }),
    });
    const copied = await store.run(['nix', 'copy', '--from', cache.url, site.closure.root]);
    const realised = await store.run(['nix-store', '--realise', site.closure.root]);
    // Both ways or neither: a refusal must not depend on the command.
    expect(realised.status === 0).toBe(copied.status === 0);
    return copied;
  };

  test('serves whoever has the token in a netrc', async () => {
    expect(await pull(site.netrc)).toMatchObject({ status: 0 });
  });

  const refused: readonly (readonly [string, () => string | undefined])[] = [
    ['no token', () => undefined],
    ['an empty token', () => netrcFor(site.server, '""')],
    ['a word that is no token', () => netrcFor(site.server, 'secret')],
    ['a token with a wrong signature', () => netrcFor(site.server, forged(site.server.adminToken))],
  ];
  test.for(refused)('refuses %s', async ([, netrc]) => {
    const { status, stderr } = await pull(netrc());
    expect(status).not.toBe(0);
    expect(stderr).toMatch(REFUSAL);
    expect((await fetch(`${cache.url}/nix-cache-info`)).status).toBe(401);
  });

  test('takes no uploads without a token, whether it is public or not', async () => {
    const open = await createCache(site.server, 'public', { isPublic: true });
    await using anonymous = await nix.openStore();
    const file = await anonymous.mustRun(['nix-store', '--add', anonymous.folder + '/conf']);
    for (const { url } of [cache, open]) {
      const refused = await anonymous.run(['nix', 'copy', '--to', url, file]);
      expect(refused.status).not.toBe(0);
      expect(refused.stderr).toMatch(REFUSAL);
    }
  });
});

/** The same claims, signed by somebody else. */
function forged(token: string): string {
  const [head, claims, signature = ''] = token.split('.');
  return [head, claims, signature.split('').reverse().join('')].join('.');
}
