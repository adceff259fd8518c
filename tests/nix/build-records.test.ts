import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCacheProcess } from '@flywheel/testing';
import type { CacheProcess, NixStore } from '@flywheel/testing';
import { describeEachNix } from './each-nix.ts';
import { createCache, netrcFor } from './site.ts';
import type { TestCache } from './site.ts';

const FEATURES = ['nix-command', 'flakes', 'ca-derivations'];

/** `low` is used by `top`; neither is known by its inputs, but by what comes out of the build. */
const CONTENT_ADDRESSED = `let
  make = name: needs: derivation {
    inherit name needs;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    PATH = "/usr/bin:/bin";
    args = [ "-c" "mkdir $out; echo $needs > $out/needs" ];
    __contentAddressed = true;
    outputHashMode = "recursive";
    outputHashAlgo = "sha256";
  };
in make "top" [ (make "low" [ ]) ]
`;

const LOGGING = `derivation {
  name = "talks";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [ "-c" "echo it said this >&2; echo > $out" ];
}
`;

describeEachNix('what builds leave', (nix) => {
  let server: CacheProcess;
  let builder: NixStore;
  let cache: TestCache;
  beforeAll(async () => {
    server = await startCacheProcess();
    const netrc = netrcFor(server, server.adminToken);
    builder = await nix.openStore({ netrc, settings: { 'experimental-features': FEATURES } });
    cache = await createCache(server, 'builds', { isPublic: true });
  }, 120_000);
  afterAll(async () => {
    await builder?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  test('a content-addressed derivation comes from the cache without being built, signed', async () => {
    const file = join(builder.folder, 'top.nix');
    await writeFile(file, CONTENT_ADDRESSED);
    await builder.mustRun(['nix', 'build', '--file', file, '--no-link']);
    await builder.mustRun(['nix', 'copy', '--file', file, '--to', cache.url]);

    await using fresh = await nix.openStore({
      settings: {
        'experimental-features': FEATURES,
        substituters: cache.url,
        'trusted-public-keys': cache.publicKey,
      },
    });
    const copy = join(fresh.folder, 'top.nix');
    await writeFile(copy, CONTENT_ADDRESSED);
    const built = await fresh.run(['nix', 'build', '--file', copy, '--no-link', '--max-jobs', '0']);
    expect(built).toMatchObject({ status: 0 });
    const paths = await fresh.mustRun(['nix', 'path-info', '--recursive', '--file', copy]);
    expect(
      paths
        .split('\n')
        .map((path) => path.slice(44))
        .toSorted(),
    ).toEqual(['low', 'top']);
  });

  test('a log that was copied is read by another store', async () => {
    const file = join(builder.folder, 'talks.nix');
    await writeFile(file, LOGGING);
    const out = await builder.mustRun(['nix-build', file, '--no-out-link']);
    const drv = await builder.mustRun(['nix-store', '--query', '--deriver', out]);
    await builder.mustRun(['nix', 'store', 'copy-log', '--to', cache.url, drv]);

    await using reader = await nix.openStore();
    await builder.mustRun(['nix', 'copy', '--derivation', '--to', cache.url, drv]);
    const read = await reader.run(['nix', 'log', '--store', cache.url, drv]);
    expect(read).toMatchObject({ status: 0, stdout: 'it said this\n' });
  });
});
