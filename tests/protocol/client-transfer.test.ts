import { mkdtemp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collect } from '@flywheel/base';
import {
  contentAddressed,
  CacheClient,
  discardNar,
  narOfPath,
  pullPaths,
  pushPaths,
  unpackInto,
} from '@flywheel/client';
import type { PathSource, TransferEvent } from '@flywheel/client';
import { encodeNar, generateSecretKey, parseStorePath, PublicKey, SecretKey } from '@flywheel/nix';
import { startTestServer, upload, samplePath } from './harness.ts';
import type { TestServer } from './harness.ts';

let server: TestServer;
let folder: string;
let client: CacheClient;
let key: PublicKey;
/** Paths of many kinds, each referring to those before it. */
let closure: readonly PathSource[];

beforeAll(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), 'flywheel-client-'));
  await server.createCache('main');
  client = clientFor('main');
  key = PublicKey.parse((await client.cacheConfig()).publicKey ?? '');
  closure = await makeClosure(24);
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

function clientFor(cache: string, token = server.server.adminToken): CacheClient {
  return new CacheClient({ endpoint: server.server.url, cache, token, firstDelayMs: 1 });
}

function hashOf({ storePath }: { readonly storePath: string }): string {
  return parseStorePath(storePath).hash;
}

async function makeClosure(size: number): Promise<readonly PathSource[]> {
  const sources: PathSource[] = [];
  for (let i = 0; i < size; i += 1) {
    const path = join(folder, `tree-${i}`);
    await mkdir(join(path, 'bin'), { recursive: true });
    await writeFile(join(path, 'bin/run'), `#!/bin/sh\necho ${i}\n`, { mode: 0o755 });
    await writeFile(join(path, 'data'), Buffer.alloc(i * 40_000, `${i} of much alike `));
    await writeFile(join(path, 'ä name'), '');
    await symlink('../data', join(path, 'bin/data'));
    const { ca: _ca, ...source } = await contentAddressed({
      name: `tree-${i}`,
      tree: () => narOfPath(path),
    });
    const references = sources
      .slice(Math.max(0, i - 3))
      .map(({ storePath }) => storePath.slice(11));
    sources.push({ ...source, references: references.toSorted() });
  }
  return sources;
}

test('a closure goes up once, and comes down as it was', async () => {
  const events: TransferEvent[] = [];
  const onProgress = (event: TransferEvent): void => void events.push(event);
  const total = closure.reduce((sum, { narSize }) => sum + narSize, 0);

  const pushed = await pushPaths({ client, paths: [...closure].reverse(), onProgress });
  expect(pushed).toMatchObject({ failed: [], present: 0, upstream: 0, bytes: total });
  expect(pushed.uploaded.length).toBe(24);
  expect(pushed.uploaded.every(({ fileSize = 0, narSize }) => fileSize < narSize)).toBe(true);
  const sent = events.flatMap((event) => (event.kind === 'bytes' ? [event.bytes] : []));
  expect(sent.reduce((sum, bytes) => sum + bytes, 0)).toBe(total);

  const again = await pushPaths({ client, paths: closure });
  expect(again).toMatchObject({ uploaded: [], present: 24, failed: [], bytes: 0 });

  const target = join(folder, 'pulled');
  await mkdir(target);
  const top = closure.at(-1);
  const pulled = await pullPaths({
    client,
    hashes: top === undefined ? [] : [hashOf(top)],
    closure: true,
    trustedKeys: [key],
    sink: unpackInto(target),
  });
  expect(pulled).toMatchObject({ failed: [], bytes: total });
  for (const source of closure) {
    const path = join(target, parseStorePath(source.storePath).baseName);
    const [before, after] = await Promise.all([
      collect(source.nar(), 1e8),
      collect(encodeNar(narOfPath(path)), 1e8),
    ]);
    expect(after.equals(before)).toBe(true);
  }
  const info = pulled.pulled.find(({ storePath }) => storePath === top?.storePath);
  expect(info?.references).toEqual(top?.references);
});

test('the same contents in another cache are deduplicated, proof and all', async () => {
  await server.createCache('second');
  const { uploaded } = await pushPaths({ client: clientFor('second'), paths: closure.slice(0, 3) });
  expect(uploaded.map(({ deduplicated }) => deduplicated)).toEqual([1, 1, 1]);
});

test('a path with thousands of references has its description before the NAR', async () => {
  const path = join(folder, 'many');
  await writeFile(path, 'refers to many');
  const { ca: _ca, ...source } = await contentAddressed({
    name: 'many',
    tree: () => narOfPath(path),
  });
  const references = Array.from(
    { length: 2500 },
    (_, i) => `${String(i).padStart(32, '0')}-dependency-${i}`,
  ).toSorted();
  const { failed } = await pushPaths({ client, paths: [{ ...source, references }] });
  expect(failed).toEqual([]);
  expect((await client.narInfo(hashOf(source)))?.references).toEqual(references);
});

test('without the right keys nothing comes down', async () => {
  const [path] = closure;
  const hashes = path === undefined ? [] : [hashOf(path)];
  const stranger = SecretKey.parse(generateSecretKey('main'));
  const target = join(folder, 'untrusted');
  await mkdir(target);
  for (const trustedKeys of [[], [PublicKey.parse(stranger.publicKey)]]) {
    const { pulled, failed } = await pullPaths({
      client,
      hashes,
      trustedKeys,
      sink: unpackInto(target),
    });
    expect(pulled).toEqual([]);
    expect(failed).toMatchObject([{ storePath: path?.storePath, error: { code: 'forbidden' } }]);
  }
  expect(await readdir(target)).toEqual([]);
  const unsigned = await pullPaths({ client, hashes, trustedKeys: [], verify: 'hash' });
  expect(unsigned.pulled.length).toBe(1);
});

test('a path that is not there fails by itself', async () => {
  const [path] = closure;
  const absent = '0'.repeat(32);
  const { pulled, failed } = await pullPaths({
    client,
    hashes: [absent, path === undefined ? absent : hashOf(path)],
    trustedKeys: [key],
  });
  expect(pulled.length).toBe(1);
  expect(failed).toMatchObject([{ hash: absent, error: { code: 'not-found' } }]);
});

test('what arrives otherwise than it was signed is corrupt, and not unpacked', async () => {
  const victim = await samplePath('victim', 'the true contents');
  const other = await samplePath('other', 'contents of the same');
  for (const path of [victim, other]) await upload(server, path, 'main');
  const target = join(folder, 'swapped');
  await mkdir(target);
  // A server (or somebody between) that serves one path's NAR as another's.
  class Liar extends CacheClient {
    override nar(): AsyncGenerator<Uint8Array> {
      return (async function* () {
        const info = await client.narInfo(other.hash);
        if (info !== undefined) yield* client.nar(info);
      })();
    }
  }
  const liar = new Liar({
    endpoint: server.server.url,
    cache: 'main',
    token: server.server.adminToken,
  });
  const { pulled, failed } = await pullPaths({
    client: liar,
    hashes: [victim.hash],
    trustedKeys: [key],
    sink: unpackInto(target),
  });
  expect(pulled).toEqual([]);
  expect(failed).toMatchObject([{ storePath: victim.storePath, error: { code: 'corrupt' } }]);
  expect(await readdir(target)).toEqual([]);
});

test('a path that is not what its source says is refused, and the cache does not have it', async () => {
  const path = join(folder, 'lying');
  await writeFile(path, 'some contents');
  const { ca: _ca, ...source } = await contentAddressed({
    name: 'lying',
    tree: () => narOfPath(path),
  });
  await writeFile(path, 'SOME contents');
  const { failed } = await pushPaths({ client, paths: [source] });
  expect(failed).toMatchObject([{ error: { code: 'invalid-input' } }]);
  expect(failed[0]?.error.message).toContain('HTTP 400 RequestError');
  expect(await client.narInfo(hashOf(source))).toBeUndefined();
});

test('a push that is broken off leaves nothing half, and the next one heals', async () => {
  const path = join(folder, 'interrupted');
  await writeFile(path, Buffer.alloc(30_000_000, 'much to send '));
  const { ca: _ca, ...source } = await contentAddressed({
    name: 'interrupted',
    tree: () => narOfPath(path),
  });
  const abort = new AbortController();
  const onProgress = (event: TransferEvent): void => {
    if (event.kind === 'bytes') abort.abort(new Error('interrupted'));
  };
  await expect(
    pushPaths({ client, paths: [source], onProgress, signal: abort.signal }),
  ).rejects.toThrow('interrupted');
  expect(await client.narInfo(hashOf(source))).toBeUndefined();
  const { uploaded } = await pushPaths({ client, paths: [source] });
  expect(uploaded.length).toBe(1);
  const { pulled } = await pullPaths({ client, hashes: [hashOf(source)], trustedKeys: [key] });
  expect(pulled[0]?.narSize).toBe(source.narSize);
});

test('who may only pull cannot push, and a stranger can do neither', async () => {
  const reader = clientFor('main', await server.token({ pull: ['main'] }));
  const [path] = closure;
  const hashes = path === undefined ? [] : [hashOf(path)];
  const { pulled } = await pullPaths({ client: reader, hashes, trustedKeys: [key] });
  expect(pulled.length).toBe(1);
  await expect(pushPaths({ client: reader, paths: closure })).rejects.toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining('AccessError') as string,
  });
  const stranger = new CacheClient({ endpoint: server.server.url, cache: 'main', firstDelayMs: 1 });
  const anonymous = pullPaths({ client: stranger, hashes, trustedKeys: [key] });
  await expect(anonymous).rejects.toMatchObject({ code: 'unauthorized' });
});

test('a sink that fails fails its path only, and the connection is let go', async () => {
  const { pulled, failed } = await pullPaths({
    client,
    hashes: closure.map(hashOf),
    trustedKeys: [key],
    jobs: 2,
    sink: async (info, nar) => {
      if (info.storePath !== closure[20]?.storePath) return discardNar(info, nar);
      for await (const _piece of nar) throw new Error('the disk is full');
    },
  });
  expect(pulled.length).toBe(23);
  expect(failed).toMatchObject([{ storePath: closure[20]?.storePath }]);
});
