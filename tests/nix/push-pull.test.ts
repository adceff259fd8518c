import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runChild } from '@flywheel/testing';
import type { RunResult } from '@flywheel/testing';
import { describeEachNix } from './each-nix.ts';
import { createCache, openSite } from './site.ts';
import type { Site, TestCache } from './site.ts';

const LAUNCHER = resolve(import.meta.dirname, '../../flywheel');
const PATHS = 12;

describeEachNix('flywheel push and pull', (nix) => {
  let folder: string;
  let site: Site;
  let cache: TestCache;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flywheel-push-'));
    site = await openSite(nix, PATHS);
    cache = await createCache(site.server, 'pushed', { isPublic: true });
  }, 120_000);
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const flywheel = (args: readonly string[], input?: string): Promise<RunResult> => {
    const env = { HOME: folder, PATH: '/usr/bin:/bin' };
    const options = { env, cwd: folder, ...(input === undefined ? {} : { input }) };
    return runChild([LAUNCHER, ...args, '--data', site.server.dataDir], options);
  };
  const push = (args: readonly string[], input?: string): Promise<RunResult> =>
    flywheel(['push', cache.name, '--store-root', site.builder.realPath(''), ...args], input);

  test('pushes a closure out of a store of Nix, and nothing the second time', async () => {
    const first = await push(['--json', site.closure.root]);
    expect(first.status, first.stderr).toBe(0);
    const { uploaded } = JSON.parse(first.stdout) as { uploaded: { storePath: string }[] };
    expect(uploaded.map(({ storePath }) => storePath).toSorted()).toEqual(
      site.closure.paths.toSorted(),
    );

    const second = await push(['--stdin'], `${site.closure.paths.join('\n')}\n`);
    expect(second.status).toBe(0);
    expect(second.stderr).toBe(
      `✔ Pushing to pushed: nothing to upload, ${site.closure.paths.length} already there\n`,
    );
  });

  test('Nix takes what was pushed', async () => {
    await using store = await nix.openStore({
      settings: { substituters: cache.url, 'trusted-public-keys': cache.publicKey },
    });
    await store.mustRun(['nix-store', '--realise', site.closure.root]);
    await store.mustRun(['nix-store', '--verify', '--check-contents']);
  });

  test('pulls the closure into a folder, file by file the same, and again without harm', async () => {
    const target = join(folder, 'image');
    const pull = ['pull', cache.name, site.closure.root, '--to', target];
    for (const attempt of [1, 2]) {
      const { stderr, status } = await flywheel(pull);
      expect(status, `${attempt}: ${stderr}`).toBe(0);
      for (const path of site.closure.paths) {
        const pair = [site.builder.realPath(path), join(target, path)];
        const different = await runChild(['diff', '--recursive', '--no-dereference', ...pair], {
          env: { PATH: '/usr/bin:/bin' },
        });
        expect(different.stdout + different.stderr).toBe('');
      }
    }
  });

  test('a key that did not sign is not trusted', async () => {
    const other = 'pushed:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
    const args = ['pull', cache.name, site.closure.root, '--verify-only', '--trusted-key', other];
    const { stderr, status } = await flywheel(args);
    expect(status).toBe(1);
    expect(stderr).toContain('has no valid signature of a trusted key');
  });

  test('a path that Nix does not have is named', async () => {
    const missing = '/nix/store/00000000000000000000000000000000-nothing';
    const { stderr, status } = await push([missing]);
    expect(status).toBe(4);
    expect(stderr).toContain(`${missing} is not a valid path of the local Nix store`);
  });

  test('no token is in what it says', async () => {
    const token = await readFile(join(site.server.dataDir, 'keys', 'admin.token'), 'utf8');
    const { stdout, stderr } = await push(['--verbose', site.closure.root]);
    expect(stdout + stderr).not.toContain(token.trim());
  });
});
