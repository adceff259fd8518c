import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
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
  data = await mkdtemp(join(tmpdir(), 'flywheel-verify-'));
  server = await startCacheServer({ dataDir: data, listen: { host: '127.0.0.1', port: 0 } });
  await run('cache', 'create', 'team');
  await pushSample(server, 'site');
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
  return { code: context.process.exitCode ?? code, stdout: stdout(), stderr: stderr() };
}

test('what is intact is said to be, and damage sets the exit code', async () => {
  const intact = await run('cache', 'verify', '--deep', '--rate', '1GiB', '--wait');
  expect(intact.code).toBe(0);
  expect(intact.stdout).toMatch(
    /^Checked 1 packs \(\d+\.?\d* B\) and 1 NARs.\nAll of it is intact.\n$/,
  );

  const files = await readdir(join(data, 'packs'), { recursive: true });
  const pack = files.find((file) => file.endsWith('.pack')) ?? '';
  await truncate(join(data, 'packs', pack), 100);
  const damaged = await run('cache', 'verify', '--wait');
  expect(damaged.code).toBe(1);
  expect(damaged.stdout).toMatch(/✘ pack \S+ has 100 of \d+ bytes: 1 NAR is missing now\n/);
  expect(damaged.stderr).toContain('1 NAR is missing until pushed again.');
});

test('without --wait it is only asked for', async () => {
  const asked = await run('cache', 'verify');
  expect(asked.code).toBe(0);
  expect(asked.stdout).toMatch(/^Asked for run \d+\./);
});

test('nothing is rebuilt beneath a server that runs', async () => {
  const refused = await run('cache', 'rebuild');
  expect(refused.code).toBe(9);
  expect(refused.stderr).toContain(`${data} is already served by process`);
});
