import { mkdtemp, rm } from 'node:fs/promises';
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
  data = await mkdtemp(join(tmpdir(), 'flywheel-tokens-'));
  server = await startCacheServer({ dataDir: data, listen: { host: '127.0.0.1', port: 0 } });
});
afterAll(async () => {
  await server.close();
  await rm(data, { recursive: true });
});

async function run(...argv: readonly string[]) {
  const { context, stdout, stderr, pass } = createTestContext({ cwd: data });
  pass(Date.now());
  const code = await runCli(['cache', ...argv, '--data', data], context);
  return { code, stdout: stdout(), stderr: stderr() };
}

function jtiOf(token: string): string {
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  return (JSON.parse(claims) as { jti: string }).jti;
}

test('a token is made, listed, shown, revoked, and all of it is on record', async () => {
  const made = await run('token', 'create', '--sub', 'ci', '--validity', '1h', '--pull', 'team');
  expect(made).toMatchObject({ code: 0, stderr: '' });
  const id = jtiOf(made.stdout);

  const listed = await run('token', 'list');
  expect(listed.stdout).toMatch(new RegExp(`\\n${id} +ci +pull team +\\S+ +– +api\\n`));
  const shown = await run('token', 'show', id, '--json');
  expect(JSON.parse(shown.stdout)).toMatchObject({ id, subject: 'ci', revoked: false });
  const revoked = await run('token', 'revoke', id, '--reason', 'test');
  expect(revoked).toMatchObject({ code: 0, stderr: '' });
  expect((await run('token', 'show', id)).stdout).toMatch(/Revoked +yes/);

  const audit = await run('audit', '--json');
  const { entries } = JSON.parse(audit.stdout) as { entries: { action: string; target: string }[] };
  expect(entries.map(({ action, target }) => [action, target])).toEqual([
    ['revoke', id],
    ['create-token', id],
  ]);
  expect((await run('audit', '--action', 'revoke')).stdout).toMatch(/admin +127\.0\.0\.1 +revoke/);
});

test('what to revoke is said once', async () => {
  expect((await run('token', 'revoke')).code).toBe(3);
  expect((await run('token', 'revoke', 'x', '--everybody')).code).toBe(3);
  expect((await run('token', 'show', 'unknown')).code).toBe(4);
});

test('the form without create makes one too, offline without a server, and that can be revoked', async () => {
  const args = ['token', '--sub', 'ada', '--validity', '1h', '--pull', 'team'];
  const online = await run(...args);
  expect(online.code).toBe(0);
  const offline = await run(...args, '--offline');
  expect((await run('token', 'show', jtiOf(online.stdout))).code).toBe(0);
  expect((await run('token', 'show', jtiOf(offline.stdout))).code).toBe(4);
  expect((await run('token', 'revoke', jtiOf(offline.stdout))).code).toBe(0);
  const response = await fetch(`${server.url}team/nix-cache-info`, {
    headers: { authorization: `Bearer ${offline.stdout.trim()}` },
  });
  expect(await response.json()).toMatchObject({ message: 'The token has been revoked.' });
});

test('keys are listed, added and removed', async () => {
  const before = await run('key', 'list', '--json');
  const [first] = (JSON.parse(before.stdout) as { keys: { kid: string }[] }).keys;
  expect(first).toMatchObject({ algorithm: 'HS256', state: 'active', signs: true });
  expect((await run('key', 'remove', first!.kid)).code).toBe(9);
  expect((await run('key', 'add', '--algorithm', 'ES256')).code).toBe(0);
  expect((await run('key', 'retire', first!.kid)).code).toBe(0);
  const after = await run('key', 'list');
  expect(after.stdout).toMatch(/ES256 +signs +token-key-/);
  expect(after.stdout).toMatch(/HS256 +verify-only +token-hs256\.secret\.verify/);
});

test('an exchange needs the variable, and a server with a policy', async () => {
  const none = await run('exchange', '--id-token-env', 'NOTHING');
  expect(none.code).toBe(4);
  expect(none.stderr).toContain('the environment has no NOTHING');
  const { context, stderr } = createTestContext({ cwd: data, env: { FLYWHEEL_ID_TOKEN: 'x.y.z' } });
  expect(await runCli(['cache', 'exchange', '--data', data], context)).toBe(4);
  expect(stderr()).toContain('this server exchanges no tokens');
});
