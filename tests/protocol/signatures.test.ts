import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  encodeBase32,
  fingerprint,
  formatNarInfo,
  generateSecretKey,
  parseNarInfo,
  SecretKey,
} from '@flywheel/nix';
import {
  samplePath,
  startTestServer,
  upload,
  type SamplePath,
  type TestServer,
} from './harness.ts';

// Signatures that a push brings stand beside the cache's own.

let server: TestServer;
let token: string;

beforeAll(async () => {
  server = await startTestServer();
  token = server.server.adminToken;
  await server.createCache('main', { is_public: true });
});

afterAll(() => server.close());

function signed(path: SamplePath, name: string): string {
  const key = SecretKey.parse(generateSecretKey(name));
  const { storePath, narHash, nar } = path;
  return key.sign(fingerprint({ storePath, narHash, narSize: nar.length, references: [] }));
}

async function signaturesOf(path: SamplePath): Promise<readonly string[]> {
  const reply = await server.request('GET', `/main/${path.hash}.narinfo`);
  return parseNarInfo(reply.text).sigs;
}

test('those of a push are served after our own, malformed ones not', async () => {
  const path = await samplePath('signed', 'signed');
  const upstream = signed(path, 'cache.example.org-1');

  await upload(server, path, 'main', { sigs: ['nonsense', 'a:b', upstream, `${upstream}\nX: y`] });

  const [ours, ...others] = await signaturesOf(path);
  expect(ours).toMatch(/^main:/);
  expect(others).toEqual([upstream]);
});

test('those of pushes of the same path come together, by either protocol', async () => {
  const path = await samplePath('again', 'again');
  const [first, second, third] = [signed(path, 'a-1'), signed(path, 'b-1'), signed(path, 'c-1')];
  await upload(server, path, 'main', { sigs: [first] });
  await upload(server, path, 'main', { sigs: [second, first] });

  const url = `nar/${encodeBase32(createHash('sha256').update(path.nar).digest())}.nar`;
  await server.request('PUT', `/main/${url}`, { token, body: path.nar });
  const narInfo = formatNarInfo({
    storePath: path.storePath,
    url,
    compression: 'none',
    narHash: path.narHash,
    narSize: path.nar.length,
    references: [],
    sigs: [third],
  });
  const put = await server.request('PUT', `/main/${path.hash}.narinfo`, { token, body: narInfo });

  expect(put.status).toBe(201);
  expect((await signaturesOf(path)).slice(1)).toEqual([third, second, first]);
});

test('with other references, earlier signatures sign nothing and go', async () => {
  const path = await samplePath('changed', 'changed');
  await upload(server, path, 'main', { sigs: [signed(path, 'a-1')] });
  const other = signed(path, 'b-1');
  const references = [`${'0'.repeat(32)}-other`];

  await upload(server, path, 'main', { sigs: [other], references });

  expect((await signaturesOf(path)).slice(1)).toEqual([other]);
});

test('there is a bound to them', async () => {
  const path = await samplePath('many', 'many');
  const sigs = Array.from({ length: 40 }, (_, number) => signed(path, `key-${number}`));

  await upload(server, path, 'main', { sigs });

  expect((await signaturesOf(path)).slice(1)).toEqual(sigs.slice(0, 16));
});
