import { createCipheriv, createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '@flywheel/base';
import { importAttic, rebuildDatabase, type ImportedAttic } from '@flywheel/cache';
import { fingerprint, parseNarInfo, SecretKey, PublicKey } from '@flywheel/nix';
import {
  atticObjectPath,
  createTestAttic,
} from '../../packages/cache/src/import-attic/test-attic-store.ts';
import {
  samplePath,
  startTestServer,
  upload,
  type SamplePath,
  type TestServer,
} from './harness.ts';
import { signJwt } from './jwt.ts';
import { collect, collected, runToEnd } from './maintenance.ts';

let root: string;
let dataDir: string;
let old: Awaited<ReturnType<typeof createTestAttic>>;
let server: TestServer | undefined;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'flywheel-import-'));
  dataDir = join(root, 'ours');
  old = await createTestAttic(root);
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  old.close();
  await rm(root, { recursive: true });
});

function noise(size: number, seed: number): Buffer {
  const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, seed), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(size));
}

type Options = Partial<Parameters<typeof importAttic>[0]>;

function take(options: Options = {}): Promise<ImportedAttic> {
  return importAttic(
    {
      dataDir,
      atticDatabase: old.databaseFile,
      atticStorage: { kind: 'folder', path: old.storage },
      signal: new AbortController().signal,
      report: () => {},
      ...options,
    },
    systemClock,
  );
}

async function serve(aheadMs = 0): Promise<TestServer> {
  const clock = { now: () => Date.now() + aheadMs };
  server = await startTestServer({ dataDir, clock });
  return server;
}

async function stop(): Promise<void> {
  await server?.close();
  server = undefined;
}

async function expectServed(
  from: TestServer,
  cache: string,
  path: SamplePath,
  key?: PublicKey,
): Promise<void> {
  const token = from.server.adminToken;
  const narInfo = await from.request('GET', `/${cache}/${path.hash}.narinfo`, { token });
  expect(narInfo.status).toBe(200);
  const info = parseNarInfo(narInfo.text);
  if (key !== undefined) expect(key.verify(fingerprint(info), info.sigs)).toBe(true);
  const url = `/${cache}/nar/${path.hash}.nar`;
  const whole = await from.request('GET', url, { token });
  expect(whole.status).toBe(200);
  expect(whole.body.length).toBe(info.fileSize);
  expect(whole.headers['content-length']).toBe(String(info.fileSize));
  const plain = zstdDecompressSync(whole.body);
  expect(createHash('sha256').update(plain).digest().equals(path.narHash)).toBe(true);
  const part = await from.request('GET', url, { token, headers: { Range: 'bytes=10-99' } });
  expect(part.status).toBe(206);
  expect(part.body.equals(whole.body.subarray(10, 100))).toBe(true);
}

/** All files of the old server, with a hash of each. */
async function contents(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const entries = await readdir(old.storage, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = join(entry.parentPath, entry.name);
    found.set(
      file,
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    );
  }
  const database = await readFile(old.databaseFile);
  found.set(old.databaseFile, createHash('sha256').update(database).digest('hex'));
  return found;
}

test('caches, keys and paths are taken over where they lie, and served with ranges', async () => {
  const keypair = await old.attic.addCache('team', { isPublic: true, priority: 37 });
  await old.attic.addCache('gone', { deleted: true });
  await old.attic.addCache('other', { retentionSeconds: 86_400 });
  const small = await samplePath('small', 'hello');
  const large = await samplePath('large', noise(1_000_000, 1), [small.storePath.slice(11)]);
  // Shares its first 640 KiB with it.
  const next = await samplePath('next', Buffer.concat([noise(655_360, 1), noise(70_000, 2)]));
  const deleted = await samplePath('deleted', 'nobody wants this');
  await old.attic.push('team', small, { chunkBytes: 0, createdBy: 'ci' });
  await old.attic.push('team', large, { references: [small.storePath.slice(11)] });
  await old.attic.push('other', large);
  await old.attic.push('other', next);
  await old.attic.push('gone', deleted);
  const before = await contents();

  const dry = await take({ dryRun: true });
  expect(dry).toMatchObject({ dryRun: true, caches: ['other', 'team'], newPaths: 4, leftOut: [] });
  await expect(readdir(dataDir)).rejects.toMatchObject({ code: 'ENOENT' });

  expect(await take({ verify: 'all' })).toMatchObject({
    dryRun: false,
    finished: false,
    caches: ['other', 'team'],
    otherKeys: [],
    newPaths: 4,
    copiedPaths: 0,
    knownPaths: 0,
    unfinishedChunks: 0,
    leftOut: [],
    verified: { nars: 3, damaged: [] },
  });
  const again = await take();
  expect(again).toMatchObject({ newObjects: 0, newPaths: 0, knownPaths: 4, leftOut: [] });
  expect(await contents()).toEqual(before);
  expect(await readdir(join(dataDir, 'packs'))).toEqual([]);

  const ours = await serve();
  const key = PublicKey.parse(SecretKey.parse(keypair).publicKey);
  for (const path of [small, large]) await expectServed(ours, 'team', path, key);
  for (const path of [large, next]) await expectServed(ours, 'other', path);
  const token = ours.server.adminToken;
  expect((await ours.request('GET', `/gone/${deleted.hash}.narinfo`, { token })).status).toBe(404);
  const settings = await ours.request('GET', '/_api/v1/cache-config/other', { token });
  expect(settings.json()).toMatchObject({
    is_public: false,
    retention_period: { Period: 86_400 },
    upstream_cache_key_names: ['cache.nixos.org-1'],
  });
  expect((await ours.request('GET', '/team/nix-cache-info')).text).toContain('Priority: 37');
  const narInfo = await ours.request('GET', `/team/${large.hash}.narinfo`);
  expect(parseNarInfo(narInfo.text).references).toEqual([small.storePath.slice(11)]);
});

test('other compressions are copied, and what is copied needs the old objects no more', async () => {
  await old.attic.addCache('team');
  const paths = await Promise.all(
    (['none', 'xz', 'br'] as const).map(async (compression, i) => {
      const path = await samplePath(compression, noise(300_000, 10 + i));
      await old.attic.push('team', path, { compression, lastAccessedAt: new Date(2e12) });
      return path;
    }),
  );
  expect(await take()).toMatchObject({ newPaths: 0, copiedPaths: 3, leftOut: [], objects: 0 });
  expect(await take()).toMatchObject({ copiedPaths: 0, knownPaths: 3 });
  await rm(old.storage, { recursive: true });
  const ours = await serve();
  for (const path of paths) await expectServed(ours, 'team', path);
});

test('what is damaged is left out with the reason, and healed by a push', async () => {
  await old.attic.addCache('team');
  const paths = await Promise.all(
    Array.from({ length: 6 }, (_, i) => samplePath(`path-${i}`, noise(200_000, 20 + i))),
  );
  const objects: string[] = [];
  for (const path of paths) objects.push((await old.attic.push('team', path))[1] ?? '');
  const [whole, missing, short, pending, nulled, odd] = paths as [
    SamplePath,
    SamplePath,
    SamplePath,
    SamplePath,
    SamplePath,
    SamplePath,
  ];
  await rm(atticObjectPath(old.storage, objects[1]!));
  await truncate(atticObjectPath(old.storage, objects[2]!), 100);
  await old.attic.exec(`update nar set state = 'P' where id = 4`);
  await old.attic.exec(`update chunkref set chunk_id = null where nar_id = 5 and seq = 2`);
  await old.attic.exec(`update nar set num_chunks = 7 where id = 6`);
  const expected = [
    [missing, `${objects[1]} is missing`],
    [short, `${objects[2]} has 100 of`],
    [pending, 'its NAR was never uploaded completely'],
    [nulled, 'a chunk of its NAR was deleted'],
    [odd, 'its NAR has 4 of 7 chunks'],
  ] as const;

  for (const imported of [await take({ dryRun: true }), await take()]) {
    expect(imported.newPaths).toBe(1);
    expect(imported.leftOut.map(({ storePath }) => storePath)).toEqual(
      expected.map(([path]) => path.storePath),
    );
    for (const [i, [, reason]] of expected.entries()) {
      expect(imported.leftOut[i]?.reason).toContain(reason);
    }
  }
  const ours = await serve();
  await expectServed(ours, 'team', whole);
  for (const [path] of expected) expect((await upload(ours, path, 'team')).status).toBe(200);
  for (const path of paths) await expectServed(ours, 'team', path);
});

test('a flipped bit is found by verify, and the path is missing', async () => {
  await old.attic.addCache('team');
  const path = await samplePath('flipped', noise(300_000, 3));
  const [, name] = await old.attic.push('team', path);
  const file = atticObjectPath(old.storage, name!);
  const bytes = await readFile(file);
  bytes[1000]! ^= 1;
  await writeFile(file, bytes);
  const narHash = path.narHash.toString('hex');
  expect(await take({ verify: 5 })).toMatchObject({ verified: { nars: 1, damaged: [narHash] } });
  const ours = await serve();
  const token = ours.server.adminToken;
  expect((await ours.request('GET', `/team/${path.hash}.narinfo`, { token })).status).toBe(404);
  await upload(ours, path, 'team');
  await expectServed(ours, 'team', path);
});

test('nothing of the old server is removed before the end, and then what nothing needs', async () => {
  await old.attic.addCache('team');
  const paths = await Promise.all(
    Array.from({ length: 4 }, (_, i) =>
      samplePath(`path-${i}`, Buffer.concat([noise(131_072, 1), noise(100_000, 30 + i)])),
    ),
  );
  for (const path of paths.slice(0, 3)) await old.attic.push('team', path);
  const [unused] = await old.attic.push('team', await samplePath('copied', noise(9000, 5)), {
    compression: 'br',
  });
  // Too large to be gathered into a pack of ours.
  const large = await samplePath('large', noise(1_200_000, 6));
  const [whole] = await old.attic.push('team', large, { chunkBytes: 0 });
  const before = await contents();
  await take();
  let ours = await serve();
  const token = ours.server.adminToken;
  await upload(ours, paths[3]!, 'team');
  const gone = await ours.request('DELETE', `/team/${paths[0]!.hash}.narinfo`, { token });
  expect(gone.status).toBe(200);
  await collect(ours);
  expect(await contents()).toEqual(before);
  await stop();

  // What was deleted here is back, because the old server has it.
  expect(await take({ finish: true })).toMatchObject({
    finished: true,
    knownPaths: 4,
    newPaths: 1,
  });
  await expect(take()).rejects.toMatchObject({ code: 'conflict' });
  ours = await serve();
  await collect(ours);
  for (const path of [...paths, large]) await expectServed(ours, 'team', path);
  const left = await contents();
  expect(left.has(atticObjectPath(old.storage, unused!))).toBe(false);
  expect(left.has(atticObjectPath(old.storage, whole!))).toBe(true);
  await ours.request('DELETE', `/team/${large.hash}.narinfo`, { token: ours.server.adminToken });
  await collect(ours);
  expect((await contents()).has(atticObjectPath(old.storage, whole!))).toBe(false);
  for (const path of paths) await expectServed(ours, 'team', path);
});

test('interrupted anywhere, the next one completes it; what came meanwhile is taken', async () => {
  await old.attic.addCache('team');
  const paths: SamplePath[] = [];
  for (let i = 0; i < 12; i += 1) {
    const path = await samplePath(`path-${i}`, noise(150_000, 40 + i));
    paths.push(path);
    await old.attic.push('team', path, i % 4 === 3 ? { compression: 'none' } : {});
  }
  for (let stopAt = 1; stopAt < 6; stopAt += 1) {
    const stopping = new AbortController();
    let reports = 0;
    const report = (): void => {
      reports += 1;
      if (reports === stopAt) stopping.abort();
    };
    await take({ signal: stopping.signal, report }).catch((error: unknown) => {
      expect(error).toMatchObject({ name: 'AbortError' });
    });
  }
  const late = await samplePath('late', noise(90_000, 99));
  await old.attic.push('team', late);
  const { newPaths, copiedPaths, knownPaths, leftOut } = await take();
  expect([newPaths + copiedPaths + knownPaths, leftOut]).toEqual([13, []]);
  const ours = await serve();
  for (const path of [...paths, late]) await expectServed(ours, 'team', path);
});

test('tokens of the old server stay good, and new ones are signed with another key', async () => {
  await old.attic.addCache('team');
  const path = await samplePath('path', 'hello');
  await old.attic.push('team', path);
  const secret = Buffer.from('not even UTF-8: \xff\xfe, and long enough', 'latin1');
  const file = join(root, 'token');
  await writeFile(file, `${secret.toString('base64')}\n`);
  const token = signJwt(
    {
      sub: 'ci',
      exp: Math.floor(Date.now() / 1000) + 600,
      'https://jwt.attic.rs/v1': { caches: { 'te*': { r: 1 } } },
    },
    secret,
  );
  for (let turn = 0; turn < 2; turn += 1) {
    expect(await take({ atticTokenFile: file })).toMatchObject({
      tokenKey: { algorithm: 'HS256', kid: expect.any(String) },
    });
  }
  const ours = await serve();
  const good = await ours.request('GET', `/team/${path.hash}.narinfo`, { token });
  expect(good.status).toBe(200);
  const none = await ours.request('GET', `/team/${path.hash}.narinfo`);
  expect(none.status).toBe(401);
  const keys = (await readdir(join(dataDir, 'keys'))).filter((name) => name.startsWith('token-'));
  expect(keys).toEqual([expect.stringMatching(/^token-attic-.{6}\.verify$/), 'token-hs256.secret']);
});

test('a storage that is not mounted is unavailable, and nothing in it is lost', async () => {
  await old.attic.addCache('team');
  const path = await samplePath('path', noise(300_000, 7));
  await old.attic.push('team', path);
  await take();
  await rename(old.storage, `${old.storage}-elsewhere`);
  let ours = await serve();
  const token = ours.server.adminToken;
  const url = `/team/nar/${path.hash}.nar`;
  expect((await ours.request('GET', url, { token })).status).toBe(503);
  await rename(`${old.storage}-elsewhere`, old.storage);
  await expectServed(ours, 'team', path);
  await stop();
  // The same while it serves.
  ours = await serve();
  expect((await ours.request('HEAD', url, { token })).status).toBe(200);
  await expect(take()).rejects.toMatchObject({ code: 'conflict' });
});

test('the scrub checks what it was not told the checksum of', async () => {
  await old.attic.addCache('team');
  const intact = await samplePath('intact', noise(300_000, 8));
  const path = await samplePath('path', noise(300_000, 9));
  await old.attic.push('team', intact);
  const [, name] = await old.attic.push('team', path);
  await take();
  const ours = await serve();
  const scrub = { rate: 1e9, deep: true };
  expect(await runToEnd(ours, 'scrub', scrub)).toMatchObject({ packs: 10, faults: [] });
  const file = atticObjectPath(old.storage, name!);
  const bytes = await readFile(file);
  bytes[1000]! ^= 1;
  await writeFile(file, bytes);
  expect(await runToEnd(ours, 'scrub', scrub)).toMatchObject({
    damaged_packs: 1,
    faults: [{ pack: `attic/1/${name}`, nars: 1 }],
  });
  await expectServed(ours, 'team', intact);
  expect((await upload(ours, path, 'team')).status).toBe(200);
  await expectServed(ours, 'team', path);
});

test('a NAR in a thousand objects is served; one that is gone is found before it begins', async () => {
  await old.attic.addCache('team');
  const path = await samplePath('many', noise(1_000_000, 11));
  const names = await old.attic.push('team', path, { chunkBytes: 1000 });
  expect(await take()).toMatchObject({ objects: 1001, newPaths: 1 });
  const ours = await serve();
  await expectServed(ours, 'team', path);
  const files = (await readdir('/proc/self/fd')).length;
  expect(files).toBeLessThan(400);
  await stop();
  await rm(atticObjectPath(old.storage, names[800]!));
  const again = await serve();
  const token = again.server.adminToken;
  const broken = await again.request('GET', `/team/nar/${path.hash}.nar`, { token });
  expect([broken.status, broken.json()]).toMatchObject([503, { error: 'IncompleteNar' }]);
  const missing = await again.request('GET', `/team/${path.hash}.narinfo`, { token });
  expect(missing.status).toBe(404);
  await upload(again, path, 'team');
  await expectServed(again, 'team', path);
});

test('what is no database or storage of Attic is refused', async () => {
  await writeFile(join(root, 'text'), 'sqlite://server.db');
  await expect(take({ atticDatabase: join(root, 'text') })).rejects.toMatchObject({
    code: 'invalid-input',
  });
  await expect(take({ atticDatabase: join(root, 'none') })).rejects.toMatchObject({
    code: 'not-found',
  });
  const atticStorage = { kind: 'folder', path: root } as const;
  await expect(take({ atticStorage })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('has no VERSION'),
  });
  await old.attic.addCache('team');
  await old.attic.push('team', await samplePath('path', 'hello'));
  await expect(
    take({ atticStorage: { kind: 's3', bucket: 'attic', endpoint: 'http://127.0.0.1:9' } }),
  ).rejects.toMatchObject({
    code: 'invalid-input',
    message: 'the database says that the objects are in a folder',
  });
  await expect(readdir(dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('when it is finished, objects are gathered into packs, and the old ones go', async () => {
  await old.attic.addCache('team');
  const large = await samplePath('large', noise(700_000, 12));
  const next = await samplePath('next', Buffer.concat([noise(600_000, 12), noise(9000, 13)]));
  await old.attic.push('team', large, { chunkBytes: 2000 });
  await old.attic.push('team', next, { chunkBytes: 2000 });
  await take();
  let ours = await serve();
  expect((await collect(ours)).result.gathered).toBeUndefined();
  await stop();
  await take({ finish: true });
  ours = await serve();
  // By the run that every start begins with.
  expect((await collected(ours)).result.gathered).toEqual({ objects: 357, packs: 2 });
  expect((await collect(ours)).result.gathered).toBeUndefined();
  for (const path of [large, next]) await expectServed(ours, 'team', path);
  // Readers may have begun before: the old objects stay for an hour.
  expect((await contents()).size).toBeGreaterThan(300);
  await stop();
  ours = await serve(2 * 3600 * 1000);
  await collect(ours);
  const files = [...(await contents()).keys()].map((file) => file.slice(root.length + 1));
  expect(files).toEqual(['storage/VERSION', 'server.db']);
  for (const path of [large, next]) await expectServed(ours, 'team', path);
  expect(await runToEnd(ours, 'scrub', { rate: 1e9, deep: true })).toMatchObject({
    packs: 2,
    faults: [],
  });
});

test('a lost database is made anew by importing again, then from the packs', async () => {
  await old.attic.addCache('team');
  const taken = await samplePath('taken', noise(200_000, 14));
  await old.attic.push('team', taken);
  await take();
  const pushed = await samplePath('pushed', noise(200_000, 15));
  expect((await upload(await serve(), pushed, 'team')).status).toBe(200);
  await stop();
  for (const name of await readdir(dataDir)) {
    if (name.startsWith('cache.db')) await rm(join(dataDir, name));
  }
  expect(await take()).toMatchObject({ newPaths: 1, leftOut: [] });
  const signal = new AbortController().signal;
  const options = { dataDir, intoExisting: true, signal, report: () => {} };
  expect(await rebuildDatabase(options, systemClock)).toMatchObject({ paths: 2, newKeys: [] });
  const ours = await serve();
  for (const path of [taken, pushed]) await expectServed(ours, 'team', path);
});
