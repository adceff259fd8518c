import { brotliCompressSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PublicKey } from '@flywheel/nix';
import { startTestServer, type TestServer } from './harness.ts';

// Build logs and realisations. The suite `nix` has the real one put and ask for them.

let server: TestServer;
let token: string;

beforeAll(async () => {
  server = await startTestServer();
  token = server.server.adminToken;
  await server.createCache('main', { is_public: true });
  await server.createCache('hidden');
});

afterAll(() => server.close());

const DRV = `${'0'.repeat(32)}-hello.drv`;
const ID = `sha256:${'ab'.repeat(32)}!out`;
const OUT = `${'1'.repeat(32)}-hello`;

test('a log is taken in any encoding and comes back as text, or as zstd', async () => {
  const text = Buffer.from('building\n'.repeat(10_000));
  const bodies = [
    [{}, text],
    [{ 'Content-Encoding': 'br' }, brotliCompressSync(text)],
    [{ 'Content-Encoding': 'zstd' }, zstdCompressSync(text)],
  ] as const;
  for (const [headers, body] of bodies) {
    const put = await server.request('PUT', `/main/log/${DRV}`, { token, headers, body });
    expect([put.status, put.text]).toEqual([201, '']);
    const plain = await server.request('GET', `/main/log/${DRV}`);
    expect(plain.body.equals(text)).toBe(true);
    expect(plain.headers['content-type']).toBe('text/plain; charset=utf-8');
  }
  const packed = await server.request('GET', `/main/log/${DRV}`, {
    headers: { 'Accept-Encoding': 'gzip, zstd' },
  });
  expect(packed.headers['content-encoding']).toBe('zstd');
  expect(zstdDecompressSync(packed.body).equals(text)).toBe(true);
  const refused = await server.request('GET', `/main/log/${DRV}`, {
    headers: { 'Accept-Encoding': 'zstd;q=0' },
  });
  expect(refused.headers['content-encoding']).toBeUndefined();
});

test('a log that is none, or too long, is refused', async () => {
  const put = (name: string, body: Buffer, headers = {}) =>
    server.request('PUT', `/main/log/${name}`, { token, headers, body });
  const text = Buffer.from('x');
  expect((await put('nonsense', text)).status).toBe(404);
  expect((await put(OUT, text)).status).toBe(404);
  expect((await put(DRV, text, { 'Content-Encoding': 'lz4' })).status).toBe(415);
  expect((await put(DRV, text, { 'Content-Encoding': 'zstd' })).status).toBe(400);
  const bomb = zstdCompressSync(Buffer.alloc(17 * 1024 * 1024));
  expect((await put(DRV, bomb, { 'Content-Encoding': 'zstd' })).status).toBe(413);
  const reader = await server.token({ pull: ['main'] });
  const url = `/main/log/${DRV}`;
  expect((await server.request('PUT', url, { token: reader, body: 'x' })).status).toBe(403);
  expect((await server.request('GET', `/hidden/log/${DRV}`)).status).toBe(401);
  expect((await server.request('GET', `/hidden/log/${DRV}`, { token })).status).toBe(404);
});

test('a realisation is kept with its signatures, and signed by the cache', async () => {
  const signature = `builder-1:${Buffer.alloc(64, 1).toString('base64')}`;
  const dependentRealisations = { [`sha256:${'cd'.repeat(32)}!dev`]: `${'2'.repeat(32)}-dev` };
  const put = await server.request('PUT', `/main/realisations/${ID.replace('!', '%21')}.doi`, {
    token,
    body: JSON.stringify({
      outPath: OUT,
      signatures: [signature, 'nonsense'],
      id: ID,
      dependentRealisations,
    }),
  });
  expect([put.status, put.text]).toEqual([201, '']);

  const got = await server.request('GET', `/main/realisations/${ID}.doi`);
  const { signatures, ...content } = got.json() as { signatures: readonly string[] };
  expect(content).toEqual({ dependentRealisations, id: ID, outPath: OUT });
  expect(signatures.slice(1)).toEqual([signature]);
  const config = await server.request('GET', '/main/attic-cache-info');
  const { public_key: publicKey } = config.json() as { public_key: string };
  const signed = `{"dependentRealisations":{"sha256:${'cd'.repeat(32)}!dev":"${'2'.repeat(32)}-dev"},"id":"${ID}","outPath":"${OUT}"}`;
  expect(PublicKey.parse(publicKey).verify(signed, signatures)).toBe(true);
});

test('a realisation that is malformed, or of another derivation, is refused', async () => {
  const put = async (id: string, body: unknown) => {
    const url = `/main/realisations/${id}.doi`;
    return (await server.request('PUT', url, { token, body: JSON.stringify(body) })).status;
  };
  const other = `sha256:${'ef'.repeat(32)}!out`;
  expect(await put(other, { id: ID, outPath: OUT })).toBe(400);
  expect(await put(other, { id: other, outPath: '../etc' })).toBe(422);
  expect(await put(other, { id: other, outPath: OUT, dependentRealisations: { x: OUT } })).toBe(
    422,
  );
  expect(await put('nonsense', {})).toBe(404);
  expect((await server.request('GET', `/main/realisations/${other}.doi`)).status).toBe(404);
  const body = JSON.stringify({ id: other, outPath: OUT });
  const refused = await server.request('PUT', `/main/realisations/${other}.doi`, { body });
  expect(refused.status).toBe(403);
});
