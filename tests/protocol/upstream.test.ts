import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fingerprint, generateSecretKey, parseNarInfo, PublicKey, SecretKey } from '@flywheel/nix';
import {
  samplePath,
  startTestServer,
  upload,
  type SamplePath,
  type TestServer,
} from './harness.ts';
import { startUpstreamDouble, type UpstreamDouble } from './upstream-double.ts';

// What a cache lacks comes from its upstreams. The suite `nix` has real caches and a real nix.

let server: TestServer;
let upstream: UpstreamDouble;
let token: string;

beforeEach(async () => {
  upstream = await startUpstreamDouble();
  server = await startTestServer();
  token = server.server.adminToken;
  await server.createCache('main', { is_public: true });
  await setUpstreams('main', [{ url: upstream.url, public_keys: [upstream.publicKey] }]);
});

afterEach(async () => {
  await server.close();
  await upstream[Symbol.asyncDispose]();
});

async function setUpstreams(cache: string, upstreams: readonly unknown[], caller = token) {
  const reply = await server.request('PUT', `/_flywheel/v1/caches/${cache}/upstreams`, {
    token: caller,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ upstreams }),
  });
  return reply.status;
}

const getNarInfo = (path: SamplePath, cache = 'main') =>
  server.request('GET', `/${cache}/${path.hash}.narinfo`);
const getNar = (path: SamplePath, cache = 'main') =>
  server.request('GET', `/${cache}/nar/${path.hash}.nar`);

async function metric(name: string): Promise<number> {
  const text = (await server.request('GET', '/metrics', { token })).text;
  const line = text.split('\n').find((each) => each.startsWith(`flywheel_cache_upstream_${name}`));
  return Number(line?.split(' ').at(-1));
}

test.each([
  ['none', (nar: Buffer) => nar],
  ['zstd', zstdCompressSync],
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
] as const)(
  'a path comes from upstream, compressed with %s, and stays',
  async (compression, pack) => {
    const path = await samplePath('wanted', randomBytes(300_000));
    upstream.offer(path, { compression, file: pack(path.nar) });

    const narInfo = await getNarInfo(path);
    const info = parseNarInfo(narInfo.text);
    expect(info).toMatchObject({
      url: `nar/${path.hash}.nar`,
      compression: 'zstd',
      storePath: path.storePath,
    });
    expect(info.fileSize).toBeUndefined();
    expect(info.sigs.map((sig) => sig.split(':')[0])).toEqual(['main', 'upstream-1']);
    const config = (await server.request('GET', '/main/attic-cache-info')).json();
    const { public_key: publicKey } = config as { public_key: string };
    expect(PublicKey.parse(publicKey).verify(fingerprint(info), info.sigs)).toBe(true);
    const first = await getNar(path);
    expect(zstdDecompressSync(first.body).equals(path.nar)).toBe(true);

    const asked = upstream.requests.length;
    // The client has it a moment before the store.
    const stored = await vi.waitFor(async () => {
      const now = parseNarInfo((await getNarInfo(path)).text);
      expect(now.fileSize).toBeGreaterThan(0);
      return now;
    });
    expect(stored).toMatchObject({ ...info });
    const second = await getNar(path);
    expect(second.headers['accept-ranges']).toBe('bytes');
    expect(zstdDecompressSync(second.body).equals(path.nar)).toBe(true);
    expect(upstream.requests.length).toBe(asked);
    expect(await metric('nars_total')).toBe(1);
    expect(await metric('nar_bytes_total')).toBe(path.nar.length);
    const listed = await server.request('GET', '/_flywheel/v1/caches/main/paths', { token });
    expect(listed.json()).toMatchObject({
      paths: [{ store_path: path.storePath, created_by: `upstream ${new URL(upstream.url).host}` }],
    });
  },
);

test('a hundred clients make one request each for narinfo and NAR', async () => {
  const path = await samplePath('popular', randomBytes(2_000_000));
  upstream.offer(path);

  const infos = await Promise.all(Array.from({ length: 100 }, () => getNarInfo(path)));
  expect(new Set(infos.map(({ status }) => status))).toEqual(new Set([200]));
  const nars = await Promise.all(Array.from({ length: 20 }, () => getNar(path)));
  for (const { status, body } of nars) {
    expect(status).toBe(200);
    expect(zstdDecompressSync(body).equals(path.nar)).toBe(true);
  }
  expect(upstream.requests).toEqual([`/${path.hash}.narinfo`, `/nar/${path.hash}.file`]);
});

test('absence is remembered, and ends with a push', async () => {
  const path = await samplePath('absent', 'absent');
  for (let turn = 0; turn < 3; turn += 1) expect((await getNarInfo(path)).status).toBe(404);
  expect((await getNar(path)).status).toBe(404);
  expect(upstream.requests).toEqual([`/${path.hash}.narinfo`]);
  await upload(server, path, 'main');
  expect((await getNarInfo(path)).status).toBe(200);
  expect(await metric('narinfo_misses_total')).toBe(1);
});

test('what no given key has signed is not taken', async () => {
  const other = SecretKey.parse(generateSecretKey('upstream-1'));
  const path = await samplePath('forged', 'forged');
  upstream.offer(path, { key: other });
  expect((await getNarInfo(path)).status).toBe(404);
  expect((await getNar(path)).status).toBe(404);
  expect(await metric('rejected_total')).toBe(1);
  expect(upstream.requests).toEqual([`/${path.hash}.narinfo`]);

  // A cache that trusts that key has it.
  await server.createCache('trusting', { is_public: true });
  await setUpstreams('trusting', [{ url: upstream.url, public_keys: [other.publicKey] }]);
  expect((await getNarInfo(path, 'trusting')).status).toBe(200);
});

test('a NAR that is not what its narinfo says is never whole, and not asked for again', async () => {
  const honest = await samplePath('other', randomBytes(300_000));
  const changed = Buffer.from(honest.nar);
  changed[200_000] = (changed[200_000] ?? 0) ^ 1;
  const files = [changed, Buffer.concat([honest.nar, Buffer.alloc(8)]), honest.nar.subarray(0, -8)];
  for (const [place, file] of files.entries()) {
    const path = { ...honest, hash: `${place}`.repeat(32) };
    const lying = { ...path, storePath: `/nix/store/${path.hash}-other` };
    upstream.offer(lying, { file });
    expect((await getNarInfo(lying)).status).toBe(200);
    await expect(getNar(lying)).rejects.toThrow();
    expect((await getNarInfo(lying)).status).toBe(404);
  }
  expect(await metric('rejected_total')).toBe(3);
  const listed = await server.request('GET', '/_flywheel/v1/caches/main/paths', { token });
  expect(listed.json()).toMatchObject({ paths: [] });
});

test('a NAR that breaks off once goes on where it was, and the client sees nothing of it', async () => {
  const path = await samplePath('mended', randomBytes(3_000_000));
  upstream.offer(path);
  let turn = 0;
  upstream.answer(`/nar/${path.hash}.file`, (_, response) => {
    turn += 1;
    response.writeHead(200, { 'Content-Length': path.nar.length });
    if (turn === 2) {
      response.end(path.nar);
      return;
    }
    response.write(path.nar.subarray(0, 2_000_000), () => setTimeout(() => response.destroy(), 50));
  });
  const nar = await getNar(path);
  expect(zstdDecompressSync(nar.body).equals(path.nar)).toBe(true);
  expect(turn).toBe(2);
});

test('an upstream that breaks off again and again is asked anew by the next client', async () => {
  const path = await samplePath('broken', randomBytes(3_000_000));
  upstream.offer(path);
  upstream.answer(`/nar/${path.hash}.file`, (_, response) => {
    response.writeHead(200, { 'Content-Length': path.nar.length });
    response.write(path.nar.subarray(0, 2_000_000), () => setTimeout(() => response.destroy(), 50));
  });
  await getNarInfo(path);
  await expect(getNar(path)).rejects.toThrow();
  upstream.offer(path);
  const again = await getNar(path);
  expect(zstdDecompressSync(again.body).equals(path.nar)).toBe(true);
});

test('a client that hangs up does not end the pull', async () => {
  const path = await samplePath('left', randomBytes(3_000_000));
  upstream.offer(path);
  let goOn: (() => void) | undefined;
  upstream.answer(`/nar/${path.hash}.file`, (_, response) => {
    response.write(path.nar.subarray(0, 1_000_000));
    goOn = () => response.end(path.nar.subarray(1_000_000));
  });
  const abort = new AbortController();
  const url = `${server.server.url}main/nar/${path.hash}.nar`;
  const answer = await fetch(url, { signal: abort.signal });
  expect(answer.status).toBe(200);
  abort.abort();
  await sleep(50);
  goOn?.();
  const asked = upstream.requests.length;
  const nar = await getNar(path);
  expect(zstdDecompressSync(nar.body).equals(path.nar)).toBe(true);
  expect(upstream.requests.length).toBe(asked);
});

test('an upstream that is down is left alone, and what is stored is served', async () => {
  const stored = await samplePath('stored', 'stored');
  await upload(server, stored, 'main');
  upstream.answerAll((_, response) => void response.writeHead(503).end());
  for (let turn = 0; turn < 10; turn += 1) {
    const path = await samplePath(`path-${turn}`, `path-${turn}`);
    expect((await getNarInfo(path)).status).toBe(404);
  }
  expect(upstream.requests.length).toBe(3);
  expect((await getNarInfo(stored)).status).toBe(200);
  expect(await metric('errors_total')).toBe(3);

  upstream.answerAll(undefined);
  const path = await samplePath('path-0', 'path-0');
  upstream.offer(path);
  await sleep(1100);
  expect((await getNarInfo(path)).status).toBe(200);
});

test('upstreams are asked in order, until one has it', async () => {
  await using second = await startUpstreamDouble();
  await setUpstreams('main', [
    { url: upstream.url, public_keys: [upstream.publicKey] },
    { url: second.url, public_keys: [second.publicKey] },
  ]);
  const both = await samplePath('both', 'both');
  const one = await samplePath('one', 'one');
  upstream.offer(both);
  second.offer(both);
  second.offer(one);
  expect((await getNarInfo(both)).status).toBe(200);
  expect((await getNarInfo(one)).status).toBe(200);
  expect(second.requests).toEqual([`/${one.hash}.narinfo`]);
});

test('a push while the same path is pulled wins, and nothing is lost', async () => {
  const path = await samplePath('raced', randomBytes(1_000_000));
  upstream.offer(path);
  let goOn: (() => void) | undefined;
  upstream.answer(`/nar/${path.hash}.file`, (_, response) => {
    response.write(path.nar.subarray(0, 500_000));
    goOn = () => response.end(path.nar.subarray(500_000));
  });
  const pulling = getNar(path);
  await vi.waitFor(() => expect(goOn).toBeDefined());
  const pushed = await upload(server, path, 'main', { deriver: `${'0'.repeat(32)}-pushed.drv` });
  expect(pushed.status).toBe(200);
  goOn?.();
  expect(zstdDecompressSync((await pulling).body).equals(path.nar)).toBe(true);
  expect((await getNarInfo(path)).text).toContain('pushed.drv');
});

test('a private cache asks upstream for nobody who may not pull', async () => {
  await server.createCache('closed');
  await setUpstreams('closed', [{ url: upstream.url, public_keys: [upstream.publicKey] }]);
  const path = await samplePath('private', 'private');
  upstream.offer(path);
  expect((await getNarInfo(path, 'closed')).status).toBe(401);
  expect((await getNar(path, 'closed')).status).toBe(401);
  expect(upstream.requests).toEqual([]);
});

test('a cache that is its own upstream ends with 404', async () => {
  const config = (await server.request('GET', '/main/attic-cache-info')).json();
  const { public_key: publicKey } = config as { public_key: string };
  await setUpstreams('main', [{ url: `${server.server.url}main`, public_keys: [publicKey] }]);
  const path = await samplePath('circle', 'circle');
  const startedAt = performance.now();
  expect((await getNarInfo(path)).status).toBe(404);
  expect(performance.now() - startedAt).toBeLessThan(2000);
});

test('redirects are followed a few times; NARs elsewhere and local files are not', async () => {
  const path = await samplePath('moved', 'moved');
  upstream.offer(path);
  upstream.answer(`/nar/${path.hash}.file`, (_, response) => {
    response.writeHead(307, { Location: '/elsewhere' }).end();
  });
  upstream.answer('/elsewhere', (_, response) => void response.end(path.nar));
  expect((await getNar(path)).status).toBe(200);

  const urls = ['http://127.0.0.1:1/x', 'file:///etc/passwd', '//127.0.0.1:1/x'];
  for (const [place, url] of urls.entries()) {
    const astray = await samplePath(`astray-${place}`, `astray-${place}`);
    upstream.offer(astray, { url });
    expect((await getNar(astray)).status).toBe(404);
  }
  const loop = await samplePath('loop', 'loop');
  upstream.offer(loop);
  upstream.answer(`/nar/${loop.hash}.file`, (request, response) => {
    response.writeHead(302, { Location: request.url ?? '' }).end();
  });
  expect((await getNar(loop)).status).toBe(503);
});

test('upstreams are for those to set who configure the cache', async () => {
  const reader = await server.token({ pull: ['main'], push: ['main'] });
  const url = '/_flywheel/v1/caches/main/upstreams';
  expect(await setUpstreams('main', [], reader)).toBe(403);
  expect((await server.request('GET', url, { token: reader })).status).toBe(403);
  expect((await server.request('GET', url)).status).toBe(403);
  const configurer = await server.token({ configureCache: ['main'] });
  expect((await server.request('GET', url, { token: configurer })).json()).toEqual({
    upstreams: [{ url: upstream.url, public_keys: [upstream.publicKey] }],
  });
  const keys = [upstream.publicKey];
  for (const refused of [
    { url: 'file:///etc', public_keys: keys },
    { url: 'http://user:secret@127.0.0.1/', public_keys: keys },
    { url: 'http://127.0.0.1/?x=1', public_keys: keys },
    { url: 'nonsense', public_keys: keys },
    { url: upstream.url, public_keys: [] },
    { url: upstream.url, public_keys: ['a:b'] },
  ]) {
    expect(await setUpstreams('main', [refused], configurer), JSON.stringify(refused)).toBe(422);
  }
  expect(await setUpstreams('main', [], configurer)).toBe(200);
  const path = await samplePath('none', 'none');
  upstream.offer(path);
  expect((await getNarInfo(path)).status).toBe(404);
  expect(upstream.requests).toEqual([]);
});
