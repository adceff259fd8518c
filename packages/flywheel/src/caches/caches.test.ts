import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCacheServer } from '@flywheel/cache';
import type { CacheServer } from '@flywheel/cache';
import { runCli } from '../app.ts';
import { createTestContext } from '../test-context.ts';

let data = '';
let server: CacheServer;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'flywheel-caches-'));
  server = await startCacheServer({ dataDir: data, listen: { host: '127.0.0.1', port: 0 } });
});
afterAll(async () => {
  await server.close();
  await rm(data, { recursive: true });
});

async function run(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { context, stdout, stderr } = createTestContext({ env, cwd: data });
  const code = await runCli(argv, context);
  return { code, stdout: stdout(), stderr: stderr() };
}

test('a cache is made, listed and shown, on the server that serves the directory', async () => {
  const created = await run(['cache', 'create', 'team', '--priority', '30', '--data', data]);
  expect(created).toMatchObject({ code: 0, stderr: '' });
  expect(created.stdout).toContain('Created the private cache team.\n');

  const listed = await run(['cache', 'list', '--json', '--data', data]);
  const { caches } = JSON.parse(listed.stdout) as { caches: { public_key: string }[] };
  expect(caches).toMatchObject([{ name: 'team', is_public: false, priority: 30 }]);

  const shown = await run(['cache', 'info', 'team', '--data', data]);
  const key = caches[0]?.public_key ?? '';
  expect(key).toMatch(/^team:[A-Za-z0-9+/]{43}=$/);
  expect(shown.stdout).toContain(`\n    extra-substituters = ${server.url}team\n`);
  expect(shown.stdout).toContain(`\n    extra-trusted-public-keys = ${key}\n`);
  expect(shown.stdout).toContain('It is private');

  const again = await run(['cache', 'create', 'team', '--data', data]);
  expect(again.code).toBe(5);
  expect(again.stderr).toBe(`Error: ${server.url} says: The cache already exists.\n`);
});

test('a server that is named gets only a token that is given', async () => {
  await run(['cache', 'create', 'hidden', '--data', data]);
  const anonymous = await run(['cache', 'info', 'hidden', '--server', server.url]);
  expect(anonymous.code).toBe(6);
  expect(anonymous.stderr).toContain('Give a token with --token-file FILE or FLYWHEEL_TOKEN.');

  const file = join(data, 'my.token');
  await writeFile(file, `${server.adminToken}\n`);
  const known = await run(['cache', 'info', 'hidden', '--token-file', 'my.token', '--json'], {
    FLYWHEEL_SERVER: server.url.replace(/\/$/, ''),
  });
  expect(known.code).toBe(0);
  expect(JSON.parse(known.stdout)).toMatchObject({ name: 'hidden', api_endpoint: server.url });
});

test('a token that is refused is not repeated', async () => {
  const refused = await run(['cache', 'create', 'other', '--data', data], {
    FLYWHEEL_TOKEN: 'not.a.token',
  });
  expect(refused.code).toBe(6);
  expect(refused.stdout + refused.stderr).not.toContain('not.a.token');

  const file = join(data, 'two-words');
  await writeFile(file, 'my secret\n');
  const odd = await run(['cache', 'list', '--token-file', file, '--data', data]);
  expect(odd).toMatchObject({ code: 3, stderr: `Error: ${file} does not hold one token\n` });
});

test('without a server it says how to start one', async () => {
  const none = await run(['cache', 'list', '--data', 'elsewhere']);
  expect(none.code).toBe(4);
  expect(none.stderr).toContain(`Error: no cache server runs on ${data}/elsewhere\n`);
  expect(none.stderr).toContain('./flywheel up');

  const gone = await run(['cache', 'list', '--server', 'http://127.0.0.1:9/']);
  expect(gone.code).toBe(12);
  expect(gone.stderr).toContain('Error: http://127.0.0.1:9/ does not answer: ');
});

test('the record of a server that was killed is no server', async () => {
  const dead = await mkdtemp(join(tmpdir(), 'flywheel-dead-'));
  const record = { pid: 2 ** 30, url: 'http://127.0.0.1:8080/' };
  await writeFile(join(dead, 'server.json'), JSON.stringify(record));
  const answer = await run(['cache', 'list', '--data', dead]);
  await rm(dead, { recursive: true });
  expect(answer.code).toBe(4);
});

test('a token does what its flags say, and its claims are in their order', async () => {
  const grants = ['--create-cache', 'ci-*', '--push', 'ci-*', '--pull', '*', '--pull', 'ci-*'];
  const args = ['cache', 'token', '--sub', 'ci', '--validity', '1d', '--data', data, ...grants];
  const dumped = await run([...args, '--dump-claims']);
  // The clock of the context stands at 0.
  expect(dumped.stdout).toBe(
    '{"https://jwt.attic.rs/v1":{"caches":{"*":{"r":1},"ci-*":{"r":1,"w":1,"cc":1}}},' +
      '"sub":"ci","iat":0,"nbf":0,"exp":86400}\n',
  );
  const minted = await run(args);
  expect(minted.stdout).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/);
  expect(minted.stderr).toBe('');
});

test('a minted token is taken by the server, for what it grants', async () => {
  const { context, stdout, pass } = createTestContext({ cwd: data });
  pass(Date.now());
  const args = ['--sub', 'ci', '--validity', '1h', '--create-cache', 'ci-*', '--pull', 'ci-*'];
  expect(await runCli(['cache', 'token', '--data', data, ...args], context)).toBe(0);
  const env = { FLYWHEEL_TOKEN: stdout(), FLYWHEEL_SERVER: server.url };
  expect(await run(['cache', 'create', 'ci-1'], env)).toMatchObject({ code: 0 });
  expect(await run(['cache', 'create', 'other'], env)).toMatchObject({ code: 6 });
});

test('no token without a permission, nor without the key', async () => {
  const args = ['cache', 'token', '--sub', 'ci', '--validity', '1d'];
  const nothing = await run([...args, '--data', data]);
  expect(nothing.code).toBe(3);
  expect(nothing.stderr).toContain('name at least one permission');
  const nowhere = await run([...args, '--pull', 'x', '--data', 'nowhere']);
  expect(nowhere.code).toBe(4);
  expect(nowhere.stderr).toContain('--data DIR');
});

test('the server runs until it is interrupted, and then ends well', async () => {
  const folder = join(data, 'served');
  const { context, stdout, stderr, interrupt } = createTestContext();
  const args = ['--data', folder, '--listen', '127.0.0.1:0', '--json'];
  const running = runCli(['cache', 'serve', ...args], context);
  await expect.poll(stdout).toContain('\n');
  const ready = JSON.parse(stdout()) as { url: string };
  expect(ready).toMatchObject({ pid: process.pid, data: folder });
  expect((await fetch(`${ready.url}_status.json`)).status).toBe(200);
  interrupt();
  expect(await running).toBe(0);
  // More may follow: retention, which each start does, may have ended by then.
  const [line = ''] = stderr().split('\n');
  expect(JSON.parse(line)).toMatchObject({ level: 'info', message: 'cache server listens' });
  await expect(readFile(join(folder, 'server.json'))).rejects.toThrow('ENOENT');
});
