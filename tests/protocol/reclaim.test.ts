import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { samplePath, startTestServer, upload } from './harness.ts';
import { collected } from './maintenance.ts';

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'flywheel-reclaim-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

async function packs(): Promise<readonly string[]> {
  const files = await readdir(join(dataDir, 'packs'), { recursive: true });
  return files.filter((file) => file.endsWith('.pack'));
}

/** Starts, waits for the run that each start begins with, and ends. */
async function restart(): Promise<void> {
  const server = await startTestServer({ dataDir });
  await collected(server);
  await server.close();
}

test('a destroyed cache gives its space back', async () => {
  const server = await startTestServer({ dataDir });
  await server.createCache('main');
  await upload(server, await samplePath('a', 'a'), 'main');
  expect((await packs()).length).toBe(1);
  await server.request('DELETE', '/_api/v1/cache-config/main', { token: server.server.adminToken });
  await server.close();
  await restart();
  expect(await packs()).toEqual([]);
});

test('a lost database costs no pack', async () => {
  const server = await startTestServer({ dataDir });
  await server.createCache('main');
  await upload(server, await samplePath('a', 'a'), 'main');
  await server.close();
  const before = await packs();
  for (const file of ['cache.db', 'cache.db-wal', 'cache.db-shm']) {
    await rm(join(dataDir, file), { force: true });
  }
  await restart();
  expect(await packs()).toEqual(before);
});

test('refused uploads leave nothing', async () => {
  const server = await startTestServer({ dataDir });
  await server.createCache('main');
  const path = await samplePath('a', 'a');
  const refused = await upload(server, path, 'main', { nar_hash: `sha256:${'0'.repeat(64)}` });
  expect(refused.status).toBe(400);
  await server.close();
  expect(await packs()).toEqual([]);
  expect(await readdir(join(dataDir, 'tmp'))).toEqual([]);
});
