import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeBase32, fingerprint, parseNarInfo, parseSha256, PublicKey } from '@flywheel/nix';
import {
  samplePath,
  startTestServer,
  upload,
  type SamplePath,
  type TestServer,
} from './harness.ts';

let server: TestServer;
let hello: SamplePath;

beforeAll(async () => {
  server = await startTestServer();
  await server.createCache('pub', { is_public: true });
  await server.createCache('priv');
  hello = await samplePath('hello', 'Hello, world!\n');
  await upload(server, hello, 'pub');
  await upload(server, hello, 'priv');
});

afterAll(() => server.close());

interface CacheConfig {
  readonly public_key: string;
}

async function config(cache: string): Promise<CacheConfig> {
  const reply = await server.request('GET', `/_api/v1/cache-config/${cache}`, {
    token: server.server.adminToken,
  });
  return reply.json() as CacheConfig;
}

test('GET / is a page for people, without scripts', async () => {
  const reply = await server.request('GET', '/');
  expect(reply.status).toBe(200);
  expect(reply.headers['content-type']).toBe('text/html; charset=UTF-8');
  expect(reply.text).toContain('Glorious Flywheel');
  expect(reply.text).toContain('extra-trusted-public-keys = pub:');
  expect(reply.text).not.toContain('priv:');
  expect(reply.headers['content-security-policy']).toContain("default-src 'none'");
});

test('nix-cache-info', async () => {
  const reply = await server.request('GET', '/pub/nix-cache-info');
  expect(reply.status).toBe(200);
  expect(reply.headers['content-type']).toBe('text/x-nix-cache-info');
  expect(reply.headers['x-attic-cache-visibility']).toBe('public');
  expect(reply.text).toBe('WantMassQuery: 1\nStoreDir: /nix/store\nPriority: 41\n');
});

test('the visibility header is absent from a private cache', async () => {
  const token = await server.token({ pull: ['priv'] });
  for (const path of ['nix-cache-info', `${hello.hash}.narinfo`, `nar/${hello.hash}.nar`]) {
    const reply = await server.request('GET', `/priv/${path}`, { token });
    expect(reply.status).toBe(200);
    expect(reply.headers['x-attic-cache-visibility']).toBeUndefined();
  }
});

test('a narinfo has every field in order, sizes included, and a signature that holds', async () => {
  const reply = await server.request('GET', `/pub/${hello.hash}.narinfo`);
  expect(reply.status).toBe(200);
  expect(reply.headers['content-type']).toBe('text/x-nix-narinfo');
  expect(reply.headers['x-attic-cache-visibility']).toBe('public');
  expect(reply.headers['content-length']).toBe(String(reply.body.length));
  const keys = reply.text.split('\n').map((line) => line.split(':')[0]);
  expect(keys).toEqual([
    'StorePath',
    'URL',
    'Compression',
    'FileSize',
    'NarHash',
    'NarSize',
    'References',
    'Sig',
    '',
  ]);
  expect(reply.text).toContain(`\nURL: nar/${hello.hash}.nar\n`);
  expect(reply.text).toContain('\nCompression: zstd\n');
  expect(reply.text).toContain(`\nNarHash: sha256:${hello.narHash.toString('hex')}\n`);
  expect(reply.text).toContain('\nReferences: \n');
  const info = parseNarInfo(reply.text);
  const key = PublicKey.parse((await config('pub')).public_key);
  expect(key.name).toBe('pub');
  expect(key.verify(fingerprint(info), info.sigs)).toBe(true);
  expect(info.sigs.length).toBe(1);
});

test('references are sorted, and a deriver and CA are served when they were sent', async () => {
  const names = ['b'.repeat(32), 'a'.repeat(32), 'b'.repeat(32)].map((hash) => `${hash}-dep`);
  const path = await samplePath('with-refs', 'refers', names);
  const deriver = `${'c'.repeat(32)}-with-refs.drv`;
  await upload(server, path, 'pub', { deriver, ca: 'fixed:r:sha256:x', sigs: ['other:AAAA'] });
  const { text } = await server.request('GET', `/pub/${path.hash}.narinfo`);
  expect(text).toContain(`\nReferences: ${'a'.repeat(32)}-dep ${'b'.repeat(32)}-dep\n`);
  expect(text).toContain(`\nDeriver: ${deriver}\n`);
  expect(text).toContain('\nCA: fixed:r:sha256:x\n');
  expect(text).not.toContain('other:AAAA');
});

test('a NAR has a length, accepts ranges, and decompresses to what was pushed', async () => {
  const reply = await server.request('GET', `/pub/nar/${hello.hash}.nar`);
  expect(reply.status).toBe(200);
  expect(reply.headers['content-type']).toBe('application/x-nix-nar');
  expect(reply.headers['accept-ranges']).toBe('bytes');
  expect(reply.headers['content-encoding']).toBeUndefined();
  expect(reply.headers['content-length']).toBe(String(reply.body.length));
  expect(reply.headers['x-attic-cache-visibility']).toBe('public');
  expect(zstdDecompressSync(reply.body).equals(hello.nar)).toBe(true);
  const { text } = await server.request('GET', `/pub/${hello.hash}.narinfo`);
  expect(parseNarInfo(text).fileSize).toBe(reply.body.length);
});

test.each([
  ['bytes=0-9', 206, 0, 10],
  ['bytes=10-', 206, 10, undefined],
  ['bytes=-5', 206, -5, undefined],
  ['bytes=0-999999', 206, 0, undefined],
  ['bytes=9-3', 200, 0, undefined],
  ['bytes=0-1,5-6', 200, 0, undefined],
  ['lines=0-1', 200, 0, undefined],
] as const)('range %s', async (range, status, start, end) => {
  const path = `/pub/nar/${hello.hash}.nar`;
  const whole = (await server.request('GET', path)).body;
  const reply = await server.request('GET', path, { headers: { Range: range } });
  expect(reply.status).toBe(status);
  expect(reply.body.equals(whole.subarray(start, end))).toBe(true);
  expect(reply.headers['content-length']).toBe(String(reply.body.length));
});

test('a range outside of the NAR is 416 with the size', async () => {
  const path = `/pub/nar/${hello.hash}.nar`;
  const size = (await server.request('GET', path)).body.length;
  const reply = await server.request('GET', path, { headers: { Range: `bytes=${size}-` } });
  expect(reply.status).toBe(416);
  expect(reply.headers['content-range']).toBe(`bytes */${size}`);
});

test('a range with If-Range of another version sends everything', async () => {
  const path = `/pub/nar/${hello.hash}.nar`;
  const whole = await server.request('GET', path);
  const headers = { Range: 'bytes=1-2', 'If-Range': '"other"' };
  expect((await server.request('GET', path, { headers })).status).toBe(200);
  const same = { Range: 'bytes=1-2', 'If-Range': whole.headers.etag as string };
  expect((await server.request('GET', path, { headers: same })).status).toBe(206);
});

test('HEAD answers like GET without the body', async () => {
  for (const path of ['nix-cache-info', `${hello.hash}.narinfo`, `nar/${hello.hash}.nar`]) {
    const get = await server.request('GET', `/pub/${path}`);
    const head = await server.request('HEAD', `/pub/${path}`);
    expect(head.status).toBe(200);
    expect(head.body.length).toBe(0);
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
    expect(head.headers['content-type']).toBe(get.headers['content-type']);
  }
});

test('a listing names the files inside', async () => {
  const tree = await samplePath('tree', {
    type: 'directory',
    entries: () => [
      ['bin', { type: 'symlink', target: 'sbin' }],
      ['tool', { type: 'regular', executable: true, size: 2, contents: () => [Buffer.from('ok')] }],
    ],
  });
  await upload(server, tree, 'pub');
  const reply = await server.request('GET', `/pub/${tree.hash}.ls`);
  expect(reply.headers['content-type']).toBe('application/json');
  const offset = tree.nar.indexOf('ok');
  expect(reply.json()).toEqual({
    version: 1,
    root: {
      type: 'directory',
      entries: {
        bin: { type: 'symlink', target: 'sbin' },
        tool: { type: 'regular', executable: true, size: 2, narOffset: offset },
      },
    },
  });
});

test('cache-config and attic-cache-info tell a client what it must know', async () => {
  const { port } = new URL(server.server.url);
  const expected = {
    substituter_endpoint: `http://127.0.0.1:${port}/pub`,
    api_endpoint: `http://127.0.0.1:${port}/`,
    public_key: expect.stringMatching(/^pub:[A-Za-z0-9+/]{43}=$/) as string,
    is_public: true,
    store_dir: '/nix/store',
    priority: 41,
    upstream_cache_key_names: ['cache.nixos.org-1'],
    retention_period: 'Global',
  };
  for (const path of ['/_api/v1/cache-config/pub', '/pub/attic-cache-info']) {
    const reply = await server.request('GET', path);
    expect(reply.status).toBe(200);
    expect(reply.headers['x-attic-cache-visibility']).toBeUndefined();
    expect(reply.json()).toEqual(expected);
  }
});

test('behind a proxy the endpoints follow X-Forwarded-Proto', async () => {
  const headers = { 'X-Forwarded-Proto': 'https', Host: 'cache.example.org' };
  const reply = await server.request('GET', '/_api/v1/cache-config/pub', { headers });
  expect(reply.json()).toMatchObject({
    api_endpoint: 'https://cache.example.org/',
    substituter_endpoint: 'https://cache.example.org/pub',
  });
});

test('get-missing-paths: each absent hash once, in any number', async () => {
  const absent = '0'.repeat(32);
  const reply = await server.request('POST', '/_api/v1/get-missing-paths', {
    token: server.server.adminToken,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ cache: 'pub', store_path_hashes: [absent, hello.hash, absent] }),
  });
  expect(reply.json()).toEqual({ missing_paths: [absent] });

  const many = Array.from({ length: 70_000 }, (_, i) => numberedHash(i));
  const large = await server.request('POST', '/_api/v1/get-missing-paths', {
    token: server.server.adminToken,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ cache: 'pub', store_path_hashes: [...many, hello.hash] }),
  });
  expect((large.json() as { missing_paths: string[] }).missing_paths.length).toBe(70_000);
});

/** The i-th of many different store path hashes. */
function numberedHash(i: number): string {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32LE(i);
  return encodeBase32(bytes);
}

test('the list of caches shows what the caller may know of', async () => {
  const names = async (token?: string) => {
    const reply = await server.request(
      'GET',
      '/_api/v1/caches',
      token === undefined ? {} : { token },
    );
    return (reply.json() as { caches: { name: string }[] }).caches.map((cache) => cache.name);
  };
  expect(await names()).toEqual(['pub']);
  expect(await names(await server.token({ push: ['pr*'] }))).toEqual(['priv', 'pub']);
});

test('a name with + is that name, not a space', async () => {
  await server.createCache('alice+shared', { is_public: true });
  expect((await server.request('GET', '/alice+shared/nix-cache-info')).status).toBe(200);
  expect((await server.request('GET', '/alice%2Bshared/nix-cache-info')).status).toBe(200);
});

test('hashes in base-32 are accepted where hex is', async () => {
  const path = await samplePath('base32', 'in base-32');
  const narHash = `sha256:${encodeBase32(path.narHash)}`;
  expect(parseSha256(narHash).equals(path.narHash)).toBe(true);
  expect((await upload(server, path, 'pub', { nar_hash: narHash })).status).toBe(200);
});
