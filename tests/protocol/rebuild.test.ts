import { createCipheriv, createHash } from 'node:crypto';
import { appendFile, mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '@flywheel/base';
import { rebuildDatabase, type Rebuilt } from '@flywheel/cache';
import { fingerprint, parseNarInfo, PublicKey } from '@flywheel/nix';
import {
  samplePath,
  startTestServer,
  upload,
  type SamplePath,
  type TestServer,
} from './harness.ts';
import { listRuns } from './maintenance.ts';

let dataDir: string;
let server: TestServer;
let publicKey: PublicKey;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'flywheel-rebuild-'));
  server = await startTestServer({ dataDir });
  await server.createCache('team', { is_public: true, priority: 37 });
  publicKey = PublicKey.parse(await publicKeyOf('team'));
});
afterEach(async () => {
  await server.close().catch(() => {});
  await rm(dataDir, { recursive: true });
});

async function publicKeyOf(cache: string): Promise<string> {
  const reply = await server.request('GET', `/_api/v1/cache-config/${cache}`, {
    token: server.server.adminToken,
  });
  return (reply.json() as { public_key: string }).public_key;
}

function noise(size: number, seed: number): Buffer {
  const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, seed), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(size));
}

/** Paths that share most of their bytes with the one before, each referring to it. */
async function chain(count: number, from = 0): Promise<readonly SamplePath[]> {
  const paths: SamplePath[] = [];
  for (let i = from; i < from + count; i += 1) {
    const content = Buffer.concat([noise(300_000, 1), noise(20_000, 2 + i)]);
    const before = paths.at(-1)?.storePath.slice('/nix/store/'.length);
    paths.push(await samplePath(`path-${i}`, content, before === undefined ? [] : [before]));
  }
  return paths;
}

async function snapshot(): Promise<Record<string, unknown>> {
  const reply = await server.request('POST', '/_flywheel/v1/runs', {
    token: server.server.adminToken,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ kind: 'snapshot' }),
  });
  const { id } = reply.json() as { id: number };
  for (;;) {
    const run = (await listRuns(server)).find((each) => each.id === id);
    if (run?.state === 'failed') throw new Error(String(run.error));
    if (run?.state === 'done') return run.result as object as Record<string, unknown>;
    await sleep(10);
  }
}

/** Loses the database, makes it anew, and starts a server on it. */
async function rebuild(loseKeys = false): Promise<Rebuilt> {
  await server.close();
  for (const name of await readdir(dataDir)) {
    if (name.startsWith('cache.db')) await rm(join(dataDir, name));
  }
  if (loseKeys) await rm(join(dataDir, 'keys'), { recursive: true });
  const rebuilt = await rebuildDatabase(
    { dataDir, signal: new AbortController().signal, report: () => {} },
    systemClock,
  );
  server = await startTestServer({ dataDir });
  return rebuilt;
}

async function expectIntact(paths: readonly SamplePath[]): Promise<void> {
  for (const path of paths) {
    const narInfo = await server.request('GET', `/team/${path.hash}.narinfo`, {
      token: server.server.adminToken,
    });
    expect(narInfo.status).toBe(200);
    const info = parseNarInfo(narInfo.text);
    expect(info.references).toEqual(path.info('team')['references']);
    expect(publicKey.verify(fingerprint(info), info.sigs)).toBe(true);
    const nar = await server.request('GET', `/team/nar/${path.hash}.nar`, {
      token: server.server.adminToken,
    });
    const plain = zstdDecompressSync(nar.body);
    expect(createHash('sha256').update(plain).digest().equals(path.narHash)).toBe(true);
    expect(nar.body.length).toBe(info.fileSize);
  }
}

test('all paths come back with their signatures, pins and settings', async () => {
  const paths = await chain(30);
  for (const path of paths) await upload(server, path, 'team');
  await server.request('PUT', '/_flywheel/v1/caches/team/pins/main', {
    token: server.server.adminToken,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ store_path: paths[29]?.storePath, keep_revisions: 2 }),
  });
  expect(await snapshot()).toMatchObject({ written: expect.stringMatching(/^snapshots\//) });
  expect(await snapshot()).toEqual({ removed: 0 });
  // Not in the snapshot: its pack says which path it is.
  const [, late] = await chain(2, 29);
  await upload(server, late!, 'team');

  expect(await rebuild()).toMatchObject({
    packs: 31,
    nars: 31,
    paths: 31,
    caches: ['team'],
    newKeys: [],
    damagedSnapshots: [],
    damagedPacks: [],
    incompleteNars: 0,
    pathsWithoutNar: 0,
    namelessPacks: 0,
  });
  await expectIntact([...paths, late!]);
  expect(await publicKeyOf('team')).toBe(publicKey.toString());
  const pins = await server.request('GET', '/_flywheel/v1/caches/team/pins', {
    token: server.server.adminToken,
  });
  expect(pins.json()).toMatchObject({
    pins: [{ name: 'main', keep_revisions: 2, revisions: [{ store_path: paths[29]?.storePath }] }],
  });
  const info = await server.request('GET', '/team/nix-cache-info');
  expect(info.text).toContain('Priority: 37');
  // What comes next finds the chunks.
  const [, next] = await chain(2, 40);
  const reply = await upload(server, next!, 'team');
  expect((reply.json() as { frac_deduplicated: number }).frac_deduplicated).toBeGreaterThan(0.6);
});

test('a snapshot that was cut or damaged falls back to the one before', async () => {
  const [first, second] = await chain(2);
  await upload(server, first!, 'team');
  const { written: older } = await snapshot();
  await sleep(1100);
  await upload(server, second!, 'team');
  const { written: newer } = await snapshot();
  await truncate(join(dataDir, String(newer)), 300);
  const rebuilt = await rebuild();
  expect(rebuilt).toMatchObject({ snapshot: { key: older }, damagedSnapshots: [newer], paths: 2 });
  await expectIntact([first!, second!]);
});

test('without a snapshot and without keys the paths come back, signed anew', async () => {
  const paths = await chain(3);
  for (const path of paths) await upload(server, path, 'team');
  // What an upload left that never came to its end.
  const packs = await readdir(join(dataDir, 'packs'), { recursive: true });
  const pack = packs.find((name) => name.endsWith('.pack')) ?? '';
  await appendFile(join(dataDir, 'packs', `${pack.slice(0, 2)}/${'0'.repeat(20)}.pack`), 'half');
  await rm(join(dataDir, 'snapshots'), { recursive: true, force: true });
  const rebuilt = await rebuild(true);
  expect(rebuilt).toMatchObject({ paths: 3, caches: ['team'], newKeys: ['team'] });
  expect(rebuilt.snapshot).toBeUndefined();
  expect(rebuilt.damagedPacks).toEqual([`${pack.slice(0, 2)}/${'0'.repeat(20)}.pack`]);
  expect(await publicKeyOf('team')).not.toBe(publicKey.toString());
  publicKey = PublicKey.parse(await publicKeyOf('team'));
  await expectIntact(paths);
});

test('a database that is not empty is refused, unless it is to be added to', async () => {
  const [path] = await chain(1);
  await upload(server, path!, 'team');
  await snapshot();
  await server.close();
  const options = { dataDir, signal: new AbortController().signal, report: () => {} };
  await expect(rebuildDatabase(options, systemClock)).rejects.toMatchObject({
    code: 'already-exists',
    message: 'the database is not empty: it knows 1 caches, 1 paths and 1 packs',
  });
  const again = await rebuildDatabase({ ...options, intoExisting: true }, systemClock);
  expect(again).toMatchObject({ packs: 1, nars: 1, paths: 1, newKeys: [] });
  server = await startTestServer({ dataDir });
  await expectIntact([path!]);
});
