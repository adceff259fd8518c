import { createHash } from 'node:crypto';
import { brotliCompressSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeBase32, formatNarInfo, formatSha256, parseNarInfo } from '@flywheel/nix';
import { samplePath, startTestServer, type SamplePath, type TestServer } from './harness.ts';

// What `nix copy --to http://…` sends. The suite `nix` has the real one do it, xz and bzip2 included.

let server: TestServer;
let token: string;

beforeAll(async () => {
  server = await startTestServer();
  token = server.server.adminToken;
  await server.createCache('main', { is_public: true });
});

afterAll(() => server.close());

interface Staged {
  readonly url: string;
  readonly file: Buffer;
}

function stage(path: SamplePath, suffix: string, compress: (nar: Buffer) => Buffer): Staged {
  const file = compress(path.nar);
  const hash = encodeBase32(createHash('sha256').update(file).digest());
  return { url: `nar/${hash}.nar${suffix}`, file };
}

function narInfoOf(path: SamplePath, url: string, changes: { narSize?: number } = {}): string {
  return formatNarInfo({
    storePath: path.storePath,
    url,
    compression: 'zstd',
    narHash: path.narHash,
    narSize: path.nar.length,
    references: [],
    sigs: ['builder-1:c2lnbmF0dXJl'],
    ...changes,
  });
}

test.each([
  ['', (nar: Buffer) => nar],
  ['', gzipSync],
  ['.zst', zstdCompressSync],
  ['.br', brotliCompressSync],
] as const)(
  'a NAR with suffix %j, then its narinfo, is a path of the cache',
  async (suffix, compress) => {
    const path = await samplePath(
      `copied${suffix}`,
      `copied ${compress.name} ${'x'.repeat(100_000)}`,
    );
    const { url, file } = stage(path, suffix, compress);
    expect((await server.request('HEAD', `/main/${url}`, { token })).status).toBe(404);
    expect((await server.request('PUT', `/main/${url}`, { token, body: file })).status).toBe(201);
    expect((await server.request('HEAD', `/main/${url}`, { token })).status).toBe(200);
    expect((await server.request('GET', `/main/${path.hash}.narinfo`)).status).toBe(404);
    const put = await server.request('PUT', `/main/${path.hash}.narinfo`, {
      token,
      body: narInfoOf(path, url),
    });
    expect([put.status, put.text]).toEqual([201, '']);
    const info = parseNarInfo((await server.request('GET', `/main/${path.hash}.narinfo`)).text);
    expect(info.url).toBe(`nar/${path.hash}.nar`);
    expect(formatSha256(info.narHash, 'hex')).toBe(formatSha256(path.narHash, 'hex'));
    expect(info.sigs.map((sig) => sig.split(':')[0])).toEqual(['main']);
    const nar = await server.request('GET', `/main/${info.url}`);
    expect(zstdDecompressSync(nar.body).equals(path.nar)).toBe(true);
  },
);

test('a narinfo without its NAR, or with another one, is refused', async () => {
  const path = await samplePath('lonely', 'lonely');
  const put = (hash: string, body: string) =>
    server.request('PUT', `/main/${hash}.narinfo`, { token, body });
  const nowhere = await put(path.hash, narInfoOf(path, `nar/${'0'.repeat(52)}.nar`));
  expect([nowhere.status, nowhere.text]).toEqual([
    400,
    expect.stringContaining('before the narinfo'),
  ]);

  const { url, file } = stage(path, '.zst', zstdCompressSync);
  await server.request('PUT', `/main/${url}`, { token, body: file });
  const size = await put(path.hash, narInfoOf(path, url, { narSize: 1 }));
  expect([size.status, size.text]).toEqual([400, expect.stringContaining('NarHash and NarSize')]);
  const other = await put('0'.repeat(32), narInfoOf(path, url));
  expect([other.status, other.text]).toEqual([400, expect.stringContaining('was put under')]);
  const broken = await put(path.hash, 'StorePath: x\n');
  expect(broken.status).toBe(400);
  expect((await server.request('GET', `/main/${path.hash}.narinfo`)).status).toBe(404);
});

test('a body that is not what its name says is refused', async () => {
  const path = await samplePath('forged', 'forged');
  const { file } = stage(path, '.zst', zstdCompressSync);
  const put = (name: string, body: Buffer) =>
    server.request('PUT', `/main/nar/${name}`, { token, body });
  const wrongHash = await put(`${'0'.repeat(52)}.nar.zst`, file);
  expect([wrongHash.status, wrongHash.text]).toEqual([
    400,
    expect.stringContaining('SHA-256 in its name'),
  ]);
  const cut = await put(`${'0'.repeat(52)}.nar.zst`, file.subarray(0, -5));
  expect(cut.status).toBe(400);
  const unknown = await put(`${'0'.repeat(52)}.nar.lz4`, Buffer.from('04224d1800', 'hex'));
  expect([unknown.status, unknown.text]).toEqual([
    415,
    expect.stringContaining('compression=zstd'),
  ]);
  expect((await put(`${'0'.repeat(52)}.nar`, Buffer.alloc(0))).status).toBe(415);
});

test('putting needs push', async () => {
  const reader = await server.token({ pull: ['main'] });
  const path = await samplePath('reader', 'reader');
  const { url, file } = stage(path, '', (nar) => nar);
  for (const [caller, status] of [
    [{}, 403],
    [{ token: reader }, 403],
  ] as const) {
    expect((await server.request('PUT', `/main/${url}`, { ...caller, body: file })).status).toBe(
      status,
    );
    const put = await server.request('PUT', `/main/${path.hash}.narinfo`, { ...caller, body: 'x' });
    expect(put.status).toBe(status);
  }
});

test("a client's own listing is accepted and not believed", async () => {
  const path = await samplePath('listed', 'listed');
  const put = await server.request('PUT', `/main/${path.hash}.ls`, {
    token,
    body: '{"version":1}',
  });
  expect(put.status).toBe(200);
  expect((await server.request('GET', `/main/${path.hash}.ls`)).status).toBe(404);
});
