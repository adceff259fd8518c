import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runChild } from '@flywheel/testing';
import type { RunResult } from '@flywheel/testing';

const LAUNCHER = resolve(import.meta.dirname, '../../flywheel');

let folder = '';
let data = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flywheel-up-'));
  data = join(folder, 'data');
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface UpResult {
  readonly ok: boolean;
  readonly cache: { readonly public_key: string };
  readonly turn: {
    readonly top: string;
    readonly fed: Readonly<Record<'paths' | 'bytes' | 'uploaded' | 'present' | 'verified', number>>;
  };
}

function up(...args: readonly string[]): Promise<RunResult> {
  const command = [LAUNCHER, 'up', '--once', '--no-flake', '--data', data, ...args];
  return runChild(command, { env: { HOME: folder, PATH: process.env['PATH'] ?? '' } });
}

async function turnOnce(): Promise<UpResult> {
  const { stdout, stderr, status } = await up('--json', '--listen', '127.0.0.1:0');
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as UpResult;
}

test('the first turn uploads everything, the second finds all of it there', async () => {
  const first = await turnOnce();
  expect(first.ok).toBe(true);
  const { paths } = first.turn.fed;
  expect(paths).toBeGreaterThanOrEqual(20);
  expect(first.turn.fed).toMatchObject({ uploaded: paths, present: 0, verified: paths });
  expect(first.turn.top).toMatch(/^\/nix\/store\/[0-9a-z]{32}-flywheel-0\.1\.0$/);

  const second = await turnOnce();
  expect(second.turn.fed).toMatchObject({ paths, uploaded: 0, present: paths, verified: paths });
  expect(second.turn.top).toBe(first.turn.top);
  expect(second.cache.public_key).toBe(first.cache.public_key);
}, 120_000);

test('it tells how to use the cache, and never the token', async () => {
  const { stdout, stderr, status } = await up('--listen', '127.0.0.1:0');
  expect(status, stderr).toBe(0);
  const file = join(data, 'keys', 'admin.token');
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(stdout)?.[0] ?? 'no URL';
  expect(stdout).toContain(`    extra-substituters = ${url}/flywheel\n`);
  expect(stdout).toMatch(/^ {4}extra-trusted-public-keys = flywheel:[A-Za-z0-9+/]{43}=$/m);
  expect(stdout).toContain(`    attic login flywheel ${url} "$(cat ${file})"\n`);
  const token = (await readFile(file, 'utf8')).trim();
  expect(stdout + stderr).not.toContain(token);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
}, 60_000);

test('a busy port is one clear error, and nothing is changed', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const { stdout, stderr, status } = await up('--listen', `127.0.0.1:${port}`);
  await new Promise((resolve) => other.close(resolve));
  expect(stdout).toBe('');
  expect(stderr).toBe(
    `Error: another program listens on 127.0.0.1:${port}\n` +
      `  stop it, or choose another address, for instance --listen 127.0.0.1:${port + 1}\n`,
  );
  expect(status).toBe(9);
});
