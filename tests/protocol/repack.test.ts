import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestServer, upload, type SamplePath, type TestServer } from './harness.ts';
import { collect, collected } from './maintenance.ts';
import { overlappingPaths } from './overlapping-paths.ts';

const HOUR_MS = 3600 * 1000;

let offsetMs: number;
let server: TestServer;
let big: SamplePath;
let small: SamplePath;

/** A path whose pack is shared by a smaller one, in a cache that is then destroyed. */
beforeEach(async () => {
  offsetMs = 0;
  server = await startTestServer({ clock: { now: () => Date.now() + offsetMs } });
  await server.createCache('kept', { is_public: true });
  await server.createCache('gone');
  await collected(server);
  ({ big, small } = await overlappingPaths());
  await upload(server, big, 'gone');
  await upload(server, small, 'kept');
  await server.request('DELETE', '/_api/v1/cache-config/gone', {
    token: server.server.adminToken,
  });
});
afterEach(() => server.close());

async function packs(): Promise<readonly string[]> {
  const files = await readdir(join(server.dataDir, 'packs'), { recursive: true });
  return files.filter((file) => file.endsWith('.pack')).toSorted();
}

async function isIntact(path: SamplePath): Promise<boolean> {
  const reply = await server.request('GET', `/kept/nar/${path.hash}.nar`);
  const plain = zstdDecompressSync(reply.body);
  return createHash('sha256').update(plain).digest().equals(path.narHash);
}

test('a pack that is mostly dead is rewritten, and stays for an hour for who reads it', async () => {
  const before = await packs();
  expect(before).toHaveLength(2);

  const run = await collect(server);

  expect(run.result.repacked).toMatchObject({ packs: 1 });
  expect(run.result.repacked?.bytes).toBeGreaterThan(1_200_000);
  expect(await packs()).toHaveLength(3);
  expect(await isIntact(small)).toBe(true);

  await collect(server);
  expect(await packs()).toHaveLength(3);
  offsetMs = HOUR_MS + 1000;
  const last = await collect(server);
  expect(last.result.reclaimed).toMatchObject({ packs: 1 });
  const after = await packs();
  expect(after).toHaveLength(2);
  expect(after.filter((pack) => before.includes(pack))).toHaveLength(1);
  expect(await isIntact(small)).toBe(true);
});

test('uploads find chunks in the rewritten pack', async () => {
  await collect(server);
  const again = await upload(server, big, 'kept');
  expect(again.json()).toMatchObject({ kind: 'Uploaded' });
  const { frac_deduplicated: share } = again.json() as { frac_deduplicated: number };
  expect(share).toBeGreaterThan(0.1);
  expect(await isIntact(big)).toBe(true);
});

test('what is damaged is not copied, and reported missing', async () => {
  const sizes = await Promise.all(
    (await packs()).map(async (file) => {
      const path = join(server.dataDir, 'packs', file);
      return { path, bytes: await readFile(path) };
    }),
  );
  const [largest] = sizes.toSorted((a, b) => b.bytes.length - a.bytes.length);
  const { path, bytes } = largest as (typeof sizes)[number];
  bytes[200_000] = (bytes[200_000] as number) ^ 1;
  await writeFile(path, bytes);

  const run = await collect(server);

  expect(run).toMatchObject({ state: 'done', result: { repacked: { packs: 0 } } });
  const missing = await server.request('POST', '/_api/v1/get-missing-paths', {
    token: server.server.adminToken,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ cache: 'kept', store_path_hashes: [small.hash] }),
  });
  expect(missing.json()).toEqual({ missing_paths: [small.hash] });
  await upload(server, small, 'kept');
  expect(await isIntact(small)).toBe(true);
});
