import { createHash } from 'node:crypto';
import { open, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestServer, upload, type SamplePath, type TestServer } from './harness.ts';
import { collected, listRuns } from './maintenance.ts';
import { overlappingPaths } from './overlapping-paths.ts';

let server: TestServer;
let big: SamplePath;
let small: SamplePath;

/** Two paths: the beginning of the second is in the pack of the first. */
beforeEach(async () => {
  server = await startTestServer();
  await server.createCache('team', { is_public: true });
  await collected(server);
  ({ big, small } = await overlappingPaths());
  await upload(server, big, 'team');
});
afterEach(() => server.close());

async function packs(): Promise<readonly string[]> {
  const files = await readdir(join(server.dataDir, 'packs'), { recursive: true });
  return files.filter((file) => file.endsWith('.pack')).map((file) => packFile(file));
}

function packFile(key: string): string {
  return join(server.dataDir, 'packs', key);
}

async function flip(file: string, at: number): Promise<void> {
  await using handle = await open(file, 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 0x40;
  await handle.write(byte, 0, 1, at);
}

async function verify(options: object = {}): Promise<Record<string, unknown>> {
  const reply = await server.request('POST', '/_flywheel/v1/runs', {
    token: server.server.adminToken,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ kind: 'scrub', rate: 1e9, ...options }),
  });
  expect(reply.status).toBe(202);
  const { id } = reply.json() as { id: number };
  for (;;) {
    const run = (await listRuns(server)).find((each) => each.id === id);
    if (run?.state === 'failed') throw new Error(String(run.error));
    if (run?.state === 'done') return run.result as object as Record<string, unknown>;
    await sleep(10);
  }
}

async function missing(): Promise<readonly string[]> {
  const reply = await server.request('POST', '/_api/v1/get-missing-paths', {
    token: server.server.adminToken,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ cache: 'team', store_path_hashes: [big.hash, small.hash] }),
  });
  return (reply.json() as { missing_paths: string[] }).missing_paths;
}

async function isIntact(path: SamplePath): Promise<boolean> {
  const reply = await server.request('GET', `/team/nar/${path.hash}.nar`);
  if (reply.status !== 200) return false;
  const plain = zstdDecompressSync(reply.body);
  return createHash('sha256').update(plain).digest().equals(path.narHash);
}

test('what is intact is left alone, also when all of it is decompressed', async () => {
  await upload(server, small, 'team');
  expect(await verify()).toMatchObject({
    deep: false,
    packs: 2,
    nars: 0,
    damaged_packs: 0,
    damaged_nars: 0,
    faults: [],
    unknown: { blobs: 0, removed: 0 },
  });
  expect(await verify({ deep: true })).toMatchObject({ packs: 2, nars: 2, faults: [] });
  expect(await missing()).toEqual([]);
});

test('a flipped byte loses only the paths that need it, and the next push heals', async () => {
  await upload(server, small, 'team');
  const file = await largest(await packs());
  // In the second half, of which the small path has nothing.
  await flip(file, 1_500_000);
  // It is remembered that the paths are there.
  expect((await server.request('GET', `/team/${big.hash}.narinfo`)).status).toBe(200);

  const found = await verify();
  expect(found).toMatchObject({ damaged_packs: 1, damaged_nars: 1 });
  expect(found['faults']).toMatchObject([
    { fault: expect.stringMatching(/^is damaged at byte 1[345]\d{5}$/), nars: 1 },
  ]);
  expect(await missing()).toEqual([big.hash]);
  expect((await server.request('GET', `/team/${big.hash}.narinfo`)).status).toBe(404);
  expect(await isIntact(small)).toBe(true);
  // It is no news the second time.
  expect(await verify()).toMatchObject({ packs: 2, damaged_packs: 0, faults: [] });

  await upload(server, big, 'team');
  expect(await missing()).toEqual([]);
  expect(await isIntact(big)).toBe(true);
  expect(await verify({ deep: true })).toMatchObject({ packs: 3, nars: 2, faults: [] });
});

async function largest(files: readonly string[]): Promise<string> {
  const sized = await Promise.all(
    files.map(async (file) => ({ file, size: (await stat(file)).size })),
  );
  return sized.toSorted((a, b) => b.size - a.size)[0]?.file ?? '';
}

for (const [what, damage, fault] of [
  ['gone', (file: string) => rm(file), /^is missing$/],
  ['too short', (file: string) => truncate(file, 1000), /^has 1000 of 2\d{6} bytes$/],
  ['without its index', async (file: string, size: number) => flip(file, size - 1), /pack index/],
] as const) {
  test(`a pack that is ${what} makes its paths missing`, async () => {
    const [file = ''] = await packs();
    await damage(file, (await stat(file)).size);
    const found = await verify();
    expect(found).toMatchObject({ damaged_packs: 1, damaged_nars: 1, faults: [{ nars: 1 }] });
    expect((found['faults'] as { fault: string }[])[0]?.fault).toMatch(fault);
    expect(await missing()).toContain(big.hash);
    await upload(server, big, 'team');
    expect(await isIntact(big)).toBe(true);
  });
}

test('a push finds out that what it would refer to is gone, and stores it anew', async () => {
  const [file = ''] = await packs();
  await rm(file);
  // Another path with the same beginning, then the same one.
  expect((await upload(server, small, 'team')).status).toBe(200);
  expect(await isIntact(small)).toBe(true);
  expect(await missing()).toEqual([big.hash]);
  expect((await upload(server, big, 'team')).status).toBe(200);
  expect(await isIntact(big)).toBe(true);
});

test('a push of the very path whose pack is gone heals it', async () => {
  const [file = ''] = await packs();
  await rm(file);
  const reply = await upload(server, big, 'team');
  expect(reply.json()).toMatchObject({ kind: 'Uploaded', frac_deduplicated: 0 });
  expect(await isIntact(big)).toBe(true);
});

test('a changed byte is noticed after the first pull of it, without being asked', async () => {
  const [file = ''] = await packs();
  await flip(file, 1_000_000);
  expect((await server.request('GET', `/team/nar/${big.hash}.nar`)).status).toBe(200);
  await expect.poll(missing, { timeout: 10_000 }).toContain(big.hash);
  expect((await server.request('GET', `/team/nar/${big.hash}.nar`)).status).toBe(404);
  await upload(server, big, 'team');
  expect(await isIntact(big)).toBe(true);
});

test('packs that nobody knows are reported, and removed when that is asked for', async () => {
  const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000);
  const [file = ''] = await packs();
  const stray = async (name: string, time: Date): Promise<void> => {
    const path = join(file, '..', name);
    await writeFile(path, 'pack');
    await utimes(path, time, time);
  };
  await stray(`${'a'.repeat(20)}.pack`, twoDaysAgo);
  await stray(`${'b'.repeat(20)}.pack`, new Date());
  const folder = file.split('/').at(-2);
  const unknown = { blobs: 1, bytes: 4, examples: [`${folder}/${'a'.repeat(20)}.pack`] };
  expect(await verify()).toMatchObject({ unknown: { ...unknown, removed: 0 } });
  expect(await packs()).toHaveLength(3);
  expect(await verify({ remove_unknown: true })).toMatchObject({
    unknown: { ...unknown, removed: 1 },
  });
  expect(await packs()).toHaveLength(2);

  // More than are known: then it is the database that has lost something.
  await stray(`${'c'.repeat(20)}.pack`, twoDaysAgo);
  await stray(`${'d'.repeat(20)}.pack`, twoDaysAgo);
  expect(await verify({ remove_unknown: true })).toMatchObject({
    unknown: { blobs: 2, removed: 0, kept_because: expect.stringMatching(/knows only 1 packs/) },
  });
});

test('only who may delete everywhere may ask for it', async () => {
  const token = await server.token({ delete: ['team'], pull: ['*'] });
  const reply = await server.request('POST', '/_flywheel/v1/runs', {
    token,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ kind: 'scrub' }),
  });
  expect(reply.status).toBe(403);
});
