import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  samplePath,
  startTestServer,
  upload,
  type Reply,
  type SamplePath,
  type TestServer,
} from './harness.ts';

let server: TestServer;
let admin: string;

beforeAll(async () => {
  server = await startTestServer();
  admin = server.server.adminToken;
  await server.createCache('main', { is_public: true });
  await server.createCache('second', { is_public: true });
});

afterAll(() => server.close());

function put(
  headers: Record<string, string | number>,
  body: Buffer | readonly Buffer[],
  token = admin,
) {
  return server.request('PUT', '/_api/v1/upload-path', { token, headers, body });
}

function withPreamble(path: SamplePath, changes: Record<string, unknown> = {}): Buffer[] {
  return [Buffer.from(JSON.stringify(path.info('main', changes))), path.nar];
}

async function expectRequestError(reply: Reply, message: string | RegExp): Promise<void> {
  expect([reply.status, reply.json()]).toEqual([
    400,
    { code: 400, error: 'RequestError', message: expect.stringMatching(message) as string },
  ]);
}

/** Bytes that do not compress: a SHA-256 chain would do too, this is shorter. */
function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

test('info in the header; the answer tells sizes; a second time it is deduplicated', async () => {
  const path = await samplePath('first', noise(300_000, 1));
  const first = await upload(server, path, 'main');
  expect(first.json()).toEqual({
    kind: 'Uploaded',
    file_size: expect.any(Number) as number,
    frac_deduplicated: 0,
  });
  const again = await upload(server, path, 'main');
  expect(again.json()).toMatchObject({ kind: 'Deduplicated', frac_deduplicated: null });
  const elsewhere = await upload(server, path, 'second');
  expect(elsewhere.json()).toMatchObject({ kind: 'Deduplicated' });
});

test('half of a NAR known already is not stored again', async () => {
  const shared = noise(1_000_000, 2);
  const a = await samplePath('a', Buffer.concat([shared, noise(1_000_000, 3)]));
  const b = await samplePath('b', Buffer.concat([shared, noise(1_000_000, 4)]));
  await upload(server, a, 'main');
  const reply = (await upload(server, b, 'main')).json() as { frac_deduplicated: number };
  expect(reply.frac_deduplicated).toBeGreaterThan(0.4);
  expect(reply.frac_deduplicated).toBeLessThan(0.55);
  const { zstdDecompressSync } = await import('node:zlib');
  for (const path of [a, b]) {
    const nar = await server.request('GET', `/main/nar/${path.hash}.nar`);
    expect(zstdDecompressSync(nar.body).equals(path.nar)).toBe(true);
    const middle = await server.request('GET', `/main/nar/${path.hash}.nar`, {
      headers: { Range: 'bytes=900000-1100000' },
    });
    expect(middle.body.equals(nar.body.subarray(900_000, 1_100_001))).toBe(true);
  }
});

test('info as a preamble, in one piece or byte by byte, and preferred over the header', async () => {
  const path = await samplePath('preamble', 'with a preamble');
  const body = withPreamble(path);
  const size = body[0]!.length;
  const header = { 'X-Attic-Nar-Info-Preamble-Size': size };
  expect((await put(header, body)).json()).toMatchObject({ kind: 'Uploaded' });
  expect((await put(header, Buffer.concat(body))).json()).toMatchObject({ kind: 'Deduplicated' });
  const bytes = Array.from(Buffer.concat(body), (byte) => Buffer.from([byte]));
  expect((await put(header, bytes)).json()).toMatchObject({ kind: 'Deduplicated' });
  const both = { ...header, 'X-Attic-Nar-Info': '{"cache":"nonsense"}' };
  expect((await put(both, body)).json()).toMatchObject({ kind: 'Deduplicated' });
});

test('a preamble of many references, far beyond what a header takes', async () => {
  const references = Array.from(
    { length: 2000 },
    (_, i) => `${'0'.repeat(28)}${i.toString().padStart(4, '0')}-reference`,
  );
  const path = await samplePath('many-references', 'x', references);
  const body = withPreamble(path);
  const reply = await put({ 'X-Attic-Nar-Info-Preamble-Size': body[0]!.length }, body);
  expect(reply.status).toBe(200);
  const { text } = await server.request('GET', `/main/${path.hash}.narinfo`);
  expect(
    text
      .split('\n')
      .find((line) => line.startsWith('References'))
      ?.split(' ').length,
  ).toBe(2001);
});

test('info that is missing, too large, too short or not a number', async () => {
  const path = await samplePath('bad-info', 'bad info');
  const size = 'X-Attic-Nar-Info-Preamble-Size';
  await expectRequestError(
    await put({}, [path.nar]),
    /^General request error: X-Attic-Nar-Info must be set$/,
  );
  await expectRequestError(
    await put({ [size]: 1024 * 1024 + 1 }, [path.nar]),
    /Upload info is too large$/,
  );
  await expectRequestError(
    await put({ [size]: 100_000 }, [path.nar]),
    /Upload info doesn't match specified size$/,
  );
  await expectRequestError(await put({ [size]: '-1' }, [path.nar]), /must be a number/);
  await expectRequestError(await put({ 'X-Attic-Nar-Info': '{' }, [path.nar]), /not valid JSON/);
  const reply = await put({ 'X-Attic-Nar-Info': '{"cache":"main"}' }, [path.nar]);
  expect([reply.status, (reply.json() as { error: string }).error]).toEqual([
    422,
    'UnprocessableEntity',
  ]);
});

test('what the server would sign must be what is filed', async () => {
  const path = await samplePath('honest', 'honest');
  const other = await samplePath('other', 'other');
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ store_path: other.storePath }, /different paths/],
    [{ store_path: path.storePath.replace('/nix/store', '/gnu/store') }, /the cache main is for/],
    [{ store_path: 'nonsense' }, /store_path/],
    [{ store_path_hash: 'short' }, /store_path_hash/],
    [{ references: ['../etc/passwd'] }, /not a store base name/],
    [{ references: [`${'0'.repeat(32)}-a\nSig: forged:x`] }, /not a store base name/],
    [{ deriver: 'x\nSig: forged:AAAA' }, /deriver must be a single line/],
    [{ ca: 'x\rSig: forged:AAAA' }, /ca must be a single line/],
    [{ system: 'x\nSig: forged:AAAA' }, /system must be a single line/],
    [{ system: 'x\0' }, /system must be a single line/],
    [{ nar_hash: 'sha1:abc' }, /nar_hash/],
    [{ nar_hash: 'sha256:zz' }, /nar_hash/],
  ];
  for (const [changes, message] of cases) {
    await expectRequestError(await upload(server, path, 'main', changes), message);
  }
  expect((await server.request('GET', `/main/${path.hash}.narinfo`)).status).toBe(404);
});

test('a wrong hash, a short body and a wrong size say which', async () => {
  const path = await samplePath('wrong', 'wrong');
  const hash = { nar_hash: `sha256:${'0'.repeat(64)}` };
  await expectRequestError(
    await upload(server, path, 'main', hash),
    /Bad NAR Hash or Size: the body hashes to/,
  );
  const long = { nar_size: path.nar.length + 8 };
  await expectRequestError(
    await upload(server, path, 'main', long),
    /ended after \d+ of \d+ bytes; a proxy/,
  );
  const short = { nar_size: path.nar.length - 8 };
  await expectRequestError(await upload(server, path, 'main', short), /Bad NAR Hash or Size/);
  expect((await server.request('GET', `/main/${path.hash}.narinfo`)).status).toBe(404);
});

test('bytes after the NAR are ignored when it is new, and fail where possession is proven', async () => {
  const path = await samplePath('trailing', 'trailing bytes');
  const longer = { ...path, nar: Buffer.concat([path.nar, Buffer.from('more')]) };
  expect((await upload(server, longer, 'main')).json()).toMatchObject({ kind: 'Uploaded' });
  await expectRequestError(
    await upload(server, longer, 'main'),
    /Bad NAR Hash or Size: the body has more/,
  );
});

test('a body that is no NAR is refused with the offset, though its hash is right', async () => {
  const path = await samplePath('no-nar', 'content');
  const { createHash } = await import('node:crypto');
  const nar = Buffer.from(path.nar);
  nar.write('executable', 40);
  const narHash = createHash('sha256').update(nar).digest();
  const changes = { nar_hash: `sha256:${narHash.toString('hex')}` };
  await expectRequestError(
    await upload(server, { ...path, nar }, 'main', changes),
    /malformed NAR at offset/,
  );
});

test('possession: a hash alone does not give access to a NAR', async () => {
  const secret = await samplePath('secret', 'secret of another team');
  await upload(server, secret, 'main');
  const forged = { ...secret, nar: Buffer.alloc(secret.nar.length) };
  await expectRequestError(await upload(server, forged, 'second'), /Bad NAR Hash or Size/);
  expect((await server.request('GET', `/second/${secret.hash}.narinfo`)).status).toBe(404);
});

test('pushing needs push, and an early refusal reaches a client that is still sending', async () => {
  const path = await samplePath('large', noise(8_000_000, 5));
  const reader = await server.token({ pull: ['main'] });
  const refused = await upload(server, path, 'main', {}, reader);
  expect([refused.status, (refused.json() as { error: string }).error]).toEqual([
    403,
    'AccessError',
  ]);
  expect((await upload(server, path, 'nosuch')).json()).toMatchObject({ error: 'NoSuchCache' });
});

test('the same path again replaces its metadata', async () => {
  const path = await samplePath('replaced', 'replaced');
  await upload(server, path, 'main', { references: [] });
  const references = [`${'1'.repeat(32)}-now`];
  await upload(server, path, 'main', { references });
  const { text } = await server.request('GET', `/main/${path.hash}.narinfo`);
  expect(text).toContain(`References: ${references[0]}\n`);
});

test('four at once store a new NAR once', async () => {
  const path = await samplePath('raced', noise(3_000_000, 6));
  const before = (await server.request('GET', '/_status.json')).json() as { packs: number };
  const replies = await Promise.all([1, 2, 3, 4].map(() => upload(server, path, 'main')));
  const kinds = replies.map((reply) => (reply.json() as { kind: string }).kind).toSorted();
  expect(kinds).toEqual(['Deduplicated', 'Deduplicated', 'Deduplicated', 'Uploaded']);
  await new Promise((resolve) => setTimeout(resolve, 2100));
  const after = (await server.request('GET', '/_status.json')).json() as { packs: number };
  expect(after.packs - before.packs).toBe(1);
});

test('UTF-8 in the header, unknown fields, and absent optional ones are fine', async () => {
  const path = await samplePath('utf8', 'utf8');
  const changes = { comment: 'größer ✓', system: undefined, deriver: undefined, ca: undefined };
  expect((await upload(server, path, 'main', changes)).status).toBe(200);
});
