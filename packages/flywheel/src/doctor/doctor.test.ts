import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../app.ts';
import { createTestContext } from '../test-context.ts';
import { checkDataDirectory } from './data-directory.ts';
import { checkListenPort } from './listen-port.ts';
import { substituterFinding } from './nix.ts';
import { checkNode } from './node-version.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flywheel-doctor-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

test('a machine where everything needed is there ends with 0', async () => {
  const root = join(folder, 'good');
  await mkdir(join(root, 'node_modules', '.pnpm'), { recursive: true });
  await writeFile(join(root, 'pnpm-lock.yaml'), 'lockfileVersion: 9\n');
  await writeFile(join(root, 'node_modules', '.pnpm', 'lock.yaml'), 'lockfileVersion: 9\n');
  const port = await freePort();
  const { context, stdout } = createTestContext({ root, home: folder, env: { PATH: '' } });
  expect(await runCli(['doctor', '--port', String(port)], context)).toBe(0);
  expect(stdout()).toContain('✔ Installation: packages match the lock file\n');
  expect(stdout()).toContain(`✔ Listen port: 127.0.0.1:${port} is free\n`);
  expect(stdout()).toContain('– Nix: not installed (flywheel works without it)\n');
  expect(stdout().endsWith('\nEverything needed is there.\n')).toBe(true);
});

test('something broken ends with 1 and says what to do, for scripts too', async () => {
  const root = join(folder, 'nothing');
  const port = await freePort();
  const { context, stdout } = createTestContext({ root, home: folder, env: { PATH: '' } });
  expect(await runCli(['doctor', '--json', '--port', String(port)], context)).toBe(1);
  const { ok, checks } = JSON.parse(stdout()) as {
    ok: boolean;
    checks: readonly { name: string; status: string; remedy?: string }[];
  };
  expect(ok).toBe(false);
  expect(checks.filter(({ status }) => status === 'failed')).toEqual([
    {
      name: 'Installation',
      status: 'failed',
      summary: `no pnpm-lock.yaml in ${root}`,
      remedy: 'Restore it: git checkout pnpm-lock.yaml',
    },
  ]);
});

test('a data directory may be missing, but not be a file', async () => {
  const missing = await checkDataDirectory(join(folder, 'a', 'b'));
  expect(missing.status).toBe('ok');
  expect(missing.summary).toContain('(made at the first start)');
  const file = join(folder, 'file');
  await writeFile(file, '');
  const taken = await checkDataDirectory(join(file, 'flywheel'));
  expect(taken).toMatchObject({ status: 'failed', summary: `${file} is a file` });
});

test.each([
  { status: 'ok', summary: 'is answered by a flywheel that runs', body: '{"caches_public":[]}' },
  { status: 'failed', summary: 'is taken by another program', body: '<h1>Welcome</h1>' },
])('a port that somebody holds $summary', async ({ status, summary, body }) => {
  const http = createServer((_, response) => response.end(body));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const finding = await checkListenPort(port);
  http.close();
  expect(finding).toMatchObject({ status, summary: `127.0.0.1:${port} ${summary}` });
});

test('the substituter is found by host and port', () => {
  const ours = ['https://cache.nixos.org/', 'http://localhost:8080/main?priority=1'];
  expect(substituterFinding(ours, 8080).status).toBe('ok');
  expect(substituterFinding(ours, 8081).status).toBe('absent');
  expect(substituterFinding(['https://cache.nixos.org:8080/', 'daemon'], 8080).status).toBe(
    'absent',
  );
});

test('a Node that is too old to run the source fails', async () => {
  const { context } = createTestContext({ root: folder });
  expect((await checkNode(context, '20.20.2')).status).toBe('failed');
  expect((await checkNode(context, '24.1.0')).status).toBe('ok');
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
