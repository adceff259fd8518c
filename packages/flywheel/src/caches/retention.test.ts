import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCacheServer } from '@flywheel/cache';
import type { CacheServer } from '@flywheel/cache';
import { runCli } from '../app.ts';
import { createTestContext } from '../test-context.ts';
import { pushSample } from './test-push.ts';

let data = '';
let server: CacheServer;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'flywheel-retention-'));
  server = await startCacheServer({ dataDir: data, listen: { host: '127.0.0.1', port: 0 } });
  await run('cache', 'create', 'team');
});
afterAll(async () => {
  await server.close();
  await rm(data, { recursive: true });
});

async function run(
  ...argv: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { context, stdout, stderr } = createTestContext({ cwd: data });
  const code = await runCli([...argv, '--data', data], context);
  return { code, stdout: stdout(), stderr: stderr() };
}

test('retention and quota are set in the words of people', async () => {
  const set = await run('cache', 'configure', 'team', '--retention', '90d', '--quota', '500GiB');
  expect(set).toMatchObject({ code: 0, stderr: '' });
  expect(set.stdout).toBe(
    'team keeps paths 90 days after their last use, 500.0 GiB of them at most.\n',
  );
  const info = await run('cache', 'info', 'team');
  expect(info.stdout).toMatch(/Kept for +90 days/);
  const reset = await run(
    'cache',
    'configure',
    'team',
    '--retention',
    'default',
    '--quota',
    'none',
  );
  expect(reset.stdout).toBe(
    "team keeps paths for ever (the server's own period), without a quota.\n",
  );
  expect((await run('cache', 'configure', 'team')).stderr).toContain('nothing to change was named');
  expect((await run('cache', 'configure', 'team', '--retention', '0s')).code).not.toBe(0);
});

test('pins are set, listed and removed', async () => {
  const path = await pushSample(server, 'site');
  const set = await run('cache', 'pin', 'add', 'team', 'main', path, '--keep-revisions', '3');
  expect(set).toMatchObject({
    code: 0,
    stdout: `Pinned ${path} as revision 1 of main.\nThe pin keeps its newest 3.\n`,
  });
  expect((await run('cache', 'pin', 'list', 'team')).stdout).toContain(path);
  const removed = await run('cache', 'pin', 'remove', 'team', 'main');
  expect(removed.code).toBe(0);
  expect((await run('cache', 'pin', 'list', 'team')).stdout).toBe('team has no pins.\n');

  const absent = `/nix/store/${'0'.repeat(32)}-absent`;
  const refused = await run('cache', 'pin', 'add', 'team', 'main', absent);
  expect(refused.code).toBe(4);
  expect(refused.stderr).toContain(`the cache does not have ${absent}; push the path first`);
});

test('a dry run names what would go, a run removes it, the history has both', async () => {
  const path = await pushSample(server, 'old');
  await run('cache', 'configure', 'team', '--quota', '1B');
  const dry = await run('cache', 'gc', '--dry-run', '--cache', 'team');
  expect(dry.code).toBe(0);
  // All of it was pushed just now, which a quota spares.
  expect(dry.stdout).toMatch(/^team: 0 paths would go .* 2 stay/);
  expect(dry.stderr).toContain('team is over its quota');

  const done = await run('cache', 'gc', '--wait', '--json');
  expect(JSON.parse(done.stdout)).toMatchObject({
    kind: 'retention',
    state: 'done',
    requested_by: 'admin',
    result: { dry_run: false, caches: [{ cache: 'team', paths: 0 }] },
  });
  const history = await run('cache', 'gc', 'history');
  expect(history.stdout).toContain('dry run: 0 paths would go');
  expect(history.stdout).toContain('every hour');
  expect(path).toContain('old');
});
