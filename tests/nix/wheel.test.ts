import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runChild, startCacheProcess, startChild, stopChild } from '@flywheel/testing';
import type { CacheProcess, NixStore, RunResult } from '@flywheel/testing';
import { describeEachNix } from './each-nix.ts';

const LAUNCHER = resolve(import.meta.dirname, '../../flywheel');

let folder = '';
let server: CacheProcess;
let top = '';
let publicKey = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flywheel-wheel-'));
  const data = join(folder, 'data');
  const arguments_ = ['--once', '--no-flake', '--json', '--data', data, '--listen', '127.0.0.1:0'];
  const env = { HOME: folder, PATH: process.env['PATH'] ?? '' };
  const { stdout, stderr, status } = await runChild([LAUNCHER, 'up', ...arguments_], {
    env,
    timeoutMs: 240_000,
  });
  expect(status, stderr).toBe(0);
  const said = JSON.parse(stdout) as { turn: { top: string }; cache: { public_key: string } };
  top = said.turn.top;
  publicKey = said.cache.public_key;
  server = await startCacheProcess({ dataDir: data });
}, 300_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describeEachNix('what the wheel packed', (nix) => {
  const settings = (keys: string) => ({
    substituters: `${server.url}flywheel`,
    'trusted-public-keys': keys,
  });

  test('is realised with all its references, and runs', async () => {
    await using store = await nix.openStore({ settings: settings(publicKey) });
    await store.mustRun(['nix-store', '--realise', top]);
    const closure = (await store.mustRun(['nix-store', '--query', '--requisites', top])).split(
      '\n',
    );
    expect(closure.length).toBeGreaterThanOrEqual(20);
    await store.mustRun(['nix-store', '--verify', '--check-contents']);

    const version = await runIn(store, [`${top}/bin/flywheel`, '--version']);
    expect(version).toEqual({ stdout: '0.1.0\n', stderr: '', status: 0 });

    // It packs itself, from the store, to the very paths that it was packed as.
    const arguments_ = ['up', '--once', '--json', '--data', '/tmp/data', '--listen', '127.0.0.1:0'];
    const again = await runIn(store, [`${top}/bin/flywheel`, ...arguments_]);
    expect(again.status, again.stderr).toBe(0);
    expect((JSON.parse(again.stdout) as { turn: { top: string } }).turn.top).toBe(top);
  });

  test('serves a cache out of the store', async () => {
    await using store = await nix.openStore({ settings: settings(publicKey) });
    await store.mustRun(['nix-store', '--realise', top]);
    const arguments_ = ['cache', 'serve', '--json', '--data', '/tmp/d', '--listen', '127.0.0.1:0'];
    const child = startChild(await commandIn(store, [`${top}/bin/flywheel`, ...arguments_]), {
      env: { HOME: '/tmp', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    try {
      const line = await new Promise<string>((resolve, reject) => {
        child.once('exit', (status) => reject(new Error(`it ended with ${status}`)));
        if (child.stdout) createInterface(child.stdout).once('line', resolve);
      });
      const { url } = JSON.parse(line) as { url: string };
      const status = await fetch(`${url}_status.json`);
      expect(await status.json()).toMatchObject({ version: '0.1.0', caches_public: [] });
    } finally {
      await stopChild(child);
    }
  });

  test('needs no signature: its names follow from its contents', async () => {
    await using store = await nix.openStore({ settings: settings('') });
    await store.mustRun(['nix-store', '--realise', top]);
    const realised = await store.mustRun(['nix-store', '--query', '--requisites', top]);
    expect(realised.split('\n')).toContain(top);
  });
});

/** The program with the store at /nix/store and the machine's libraries: our Node needs glibc. */
async function commandIn(store: NixStore, command: readonly string[]): Promise<readonly string[]> {
  const root = store.realPath('');
  for (const name of ['bin', 'lib', 'lib64', 'usr', 'proc', 'dev', 'tmp']) {
    await mkdir(join(root, name), { recursive: true });
  }
  // The mounts vanish with the namespace.
  const enter = `for name in bin lib lib64 usr proc dev; do mount --rbind "/$name" "$0/$name"; done
exec chroot "$0" "$@"`;
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-euc', enter, root, ...command];
}

async function runIn(store: NixStore, command: readonly string[]): Promise<RunResult> {
  const env = { HOME: '/tmp', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
  return runChild(await commandIn(store, command), { env });
}
