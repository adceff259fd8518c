import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  NEW_CACHE,
  samplePath,
  startTestServer,
  upload,
  type RequestOptions,
  type SamplePath,
  type TestServer,
} from './harness.ts';

let server: TestServer;
let hello: SamplePath;
let admin: string;

beforeAll(async () => {
  server = await startTestServer();
  admin = server.server.adminToken;
  await server.createCache('pub', { is_public: true });
  await server.createCache('priv');
  hello = await samplePath('hello', 'Hello, world!\n');
  await upload(server, hello, 'priv');
});

afterAll(() => server.close());

const JSON_TYPE = { 'Content-Type': 'application/json' };
const ABSENT = '0'.repeat(32);

async function expectError(
  method: string,
  path: string,
  options: RequestOptions,
  code: number,
  error: string,
  message?: string | RegExp,
): Promise<void> {
  const reply = await server.request(method, path, options);
  expect([reply.status, reply.text]).toEqual([code, expect.any(String)]);
  expect(reply.headers['content-type']).toBe('application/json');
  expect(reply.headers['www-authenticate']?.slice(0, 20)).toBe(
    code === 401 ? 'Bearer realm="cache"' : undefined,
  );
  const body = reply.json() as Record<string, unknown>;
  expect(Object.keys(body)).toEqual(['code', 'error', 'message']);
  expect(body).toMatchObject({ code, error });
  if (typeof message === 'string') expect(body['message']).toBe(message);
  else if (message !== undefined) expect(body['message']).toMatch(message);
}

const NOT_FOUND = 'The URL you requested was not found.';
const NO_CACHE = 'The requested cache does not exist.';
const NO_OBJECT = 'The requested object does not exist.';
const NOT_OURS = 'The token is not signed by a key of this server.';
const NO_RIGHT = 'Access error: User does not have permission to complete this action.';

test('unknown URLs and suffixes', async () => {
  for (const path of [
    '/a/b/c/d',
    '/_api/v2/x',
    '/pub/nothing',
    `/pub/${ABSENT}.narinfo.xz`,
    `/pub/nar/${ABSENT}.nar.zst`,
    `/pub/log/${ABSENT}`,
  ]) {
    await expectError('GET', path, {}, 404, 'NotFound', NOT_FOUND);
  }
});

test.each([
  ['PATCH', '/pub/nix-cache-info', 'GET,HEAD'],
  ['POST', `/pub/${ABSENT}.narinfo`, 'GET,HEAD,PUT,DELETE'],
  ['POST', `/pub/nar/${ABSENT}.nar`, 'GET,HEAD,PUT'],
  ['GET', '/_api/v1/get-missing-paths', 'POST'],
  ['POST', '/_api/v1/upload-path', 'PUT'],
  ['PUT', '/_api/v1/cache-config/pub', 'GET,HEAD,POST,PATCH,DELETE'],
  ['POST', '/', 'GET,HEAD'],
])('%s %s is 405 with Allow and no body', async (method, path, allow) => {
  const reply = await server.request(method, path);
  expect([reply.status, reply.headers.allow, reply.text]).toEqual([405, allow, '']);
});

test('a request without Host', async () => {
  await expectError(
    'GET',
    '/pub/nix-cache-info',
    { setHost: false },
    400,
    'RequestError',
    'General request error: Missing Host header',
  );
});

test('a host that is not allowed is refused before anything else', async () => {
  const strict = await startTestServer({ settings: { allowedHosts: ['cache.example.org'] } });
  try {
    const refused = await strict.request('GET', '/nowhere/at/all', { headers: { Host: 'evil' } });
    expect([refused.status, refused.json()]).toEqual([
      400,
      { code: 400, error: 'RequestError', message: 'General request error: Bad Host' },
    ]);
    const withPort = await strict.request('GET', '/', {
      headers: { Host: 'cache.example.org:80' },
    });
    expect(withPort.status).toBe(400);
    const allowed = await strict.request('GET', '/', { headers: { Host: 'cache.example.org' } });
    expect(allowed.status).toBe(200);
  } finally {
    await strict.close();
  }
});

test.each(['-x', 'a.b', '_x', 'x'.repeat(51), '%20'])('cache name %s', async (name) => {
  const path = `/_api/v1/cache-config/${name}`;
  await expectError('GET', path, { token: admin }, 400, 'InvalidCacheName', /^Invalid cache name/);
});

test.each(['foo', 'e'.repeat(32), '0'.repeat(31), '..%2f..%2fetc'])('hash %s', async (hash) => {
  for (const path of [`/pub/${hash}.narinfo`, `/pub/nar/${hash}.nar`]) {
    await expectError('GET', path, {}, 400, 'InvalidStorePathHash', /^Invalid store path hash/);
  }
});

// Section 2.4 of the protocol: who may discover a cache learns 404 or 403, everybody else 401.
const READS = [
  ['/{cache}/nix-cache-info'],
  ['/_api/v1/cache-config/{cache}'],
  [`/{cache}/${ABSENT}.narinfo`],
  [`/{cache}/nar/${ABSENT}.nar`],
  [`/{cache}/${ABSENT}.ls`],
  ['/{cache}/{present}.narinfo'],
  ['/{cache}/nar/{present}.nar'],
] as const;

test.each(READS)('who may not discover a cache learns nothing: %s', async (template) => {
  for (const cache of ['priv', 'nosuch']) {
    const path = template.replace('{cache}', cache).replace('{present}', hello.hash);
    const foreign = await server.token({ pull: ['other-*'] });
    await expectError('GET', path, {}, 401, 'Unauthorized', 'Unauthorized.');
    await expectError('GET', path, { token: foreign }, 401, 'Unauthorized');
    await expectError('GET', path, { token: 'garbage' }, 401, 'Unauthorized', NOT_OURS);
  }
});

test.each(READS)('who may discover is told what is missing: %s', async (template) => {
  const pusher = await server.token({ push: ['*'] });
  const reader = await server.token({ pull: ['*'] });
  const at = (cache: string) => template.replace('{cache}', cache).replace('{present}', ABSENT);
  await expectError('GET', at('nosuch'), { token: pusher }, 404, 'NoSuchCache', NO_CACHE);
  await expectError('GET', at('priv'), { token: pusher }, 403, 'AccessError', NO_RIGHT);
  if (template.includes('present') || template.includes(ABSENT)) {
    await expectError('GET', at('priv'), { token: reader }, 404, 'NoSuchObject', NO_OBJECT);
    await expectError('GET', at('pub'), {}, 404, 'NoSuchObject', NO_OBJECT);
  }
});

test('a public cache is readable with a stale token, and not writable without one', async () => {
  const stale = await server.request('GET', '/pub/nix-cache-info', { token: 'expired.or.bad' });
  expect(stale.status).toBe(200);
  await expectError('DELETE', '/_api/v1/cache-config/pub', {}, 403, 'AccessError', NO_RIGHT);
  const body = JSON.stringify({ cache: 'pub', store_path_hashes: [] });
  const options = { headers: JSON_TYPE, body };
  await expectError('POST', '/_api/v1/get-missing-paths', options, 403, 'AccessError', NO_RIGHT);
});

test('the first matching pattern decides, patterns are not merged', async () => {
  const claims = await server.token({ push: ['p*'], pull: ['p*v'] });
  // Minted in the order of permissions: pull's pattern p*v comes first in the claim.
  expect((await server.request('GET', '/priv/nix-cache-info', { token: claims })).status).toBe(200);
  const writeFirst = await server.token({ pull: ['zzz'], push: ['p*'], destroyCache: ['priv'] });
  await expectError('GET', '/priv/nix-cache-info', { token: writeFirst }, 403, 'AccessError');
});

test('Basic with an empty user, and bearer in any case', async () => {
  const token = await server.token({ pull: ['priv'] });
  const basic = Buffer.from(`:${token}`).toString('base64');
  for (const value of [`Basic ${basic}`, `basic ${basic}`, `Bearer ${token}`, `BEARER ${token}`]) {
    const headers = { Authorization: value };
    expect((await server.request('GET', '/priv/nix-cache-info', { headers })).status).toBe(200);
  }
});

test('bodies that are no JSON, too large, malformed or of the wrong shape', async () => {
  const path = '/_api/v1/cache-config/fresh';
  const post = (headers: Record<string, string>, body: string) =>
    [path, { token: admin, headers, body }] as const;
  const good = JSON.stringify(NEW_CACHE);
  await expectError('POST', ...post({}, good), 415, 'UnsupportedMediaType');
  await expectError(
    'POST',
    ...post({ 'Content-Type': 'text/plain' }, good),
    415,
    'UnsupportedMediaType',
  );
  await expectError(
    'POST',
    ...post(JSON_TYPE, '{"keypair":'),
    400,
    'RequestError',
    /not valid JSON/,
  );
  await expectError('POST', ...post(JSON_TYPE, '{}'), 422, 'UnprocessableEntity', /keypair/);
  await expectError('POST', ...post(JSON_TYPE, '[]'), 422, 'UnprocessableEntity');
  const large = JSON.stringify({ ...NEW_CACHE, padding: 'x'.repeat(2 * 1024 * 1024) });
  await expectError('POST', ...post(JSON_TYPE, large), 413, 'PayloadTooLarge');
  for (const field of Object.keys(NEW_CACHE)) {
    const without = JSON.stringify({ ...NEW_CACHE, [field]: undefined });
    await expectError(
      'POST',
      ...post(JSON_TYPE, without),
      422,
      'UnprocessableEntity',
      new RegExp(field),
    );
  }
  expect((await server.request('GET', path, { token: admin })).status).toBe(404);
});

test('one invalid hash refuses a whole get-missing-paths', async () => {
  const body = JSON.stringify({ cache: 'pub', store_path_hashes: [ABSENT, 'nonsense'] });
  const options = { token: admin, headers: JSON_TYPE, body };
  await expectError('POST', '/_api/v1/get-missing-paths', options, 422, 'UnprocessableEntity');
});

test('a NAR whose pack has vanished is 503 once, then absent, and healed by the next push', async () => {
  const own = await startTestServer();
  try {
    await own.createCache('pub', { is_public: true });
    const path = await samplePath('precious', 'precious data');
    await upload(own, path, 'pub');
    expect((await own.request('GET', `/pub/${path.hash}.narinfo`)).status).toBe(200);
    await rm(join(own.dataDir, 'packs'), { recursive: true });

    const broken = await own.request('GET', `/pub/nar/${path.hash}.nar`);
    expect([broken.status, broken.json()]).toEqual([
      503,
      {
        code: 503,
        error: 'IncompleteNar',
        message: 'The requested NAR has missing chunks and needs to be repaired.',
      },
    ]);
    expect((await own.request('GET', `/pub/${path.hash}.narinfo`)).status).toBe(404);
    const metrics = await own.request('GET', '/metrics');
    expect(metrics.text).toContain('\nflywheel_cache_damage_found_total 1\n');
    const missing = await own.request('POST', '/_api/v1/get-missing-paths', {
      token: own.server.adminToken,
      headers: JSON_TYPE,
      body: JSON.stringify({ cache: 'pub', store_path_hashes: [path.hash] }),
    });
    expect(missing.json()).toEqual({ missing_paths: [path.hash] });

    expect((await upload(own, path, 'pub')).json()).toMatchObject({ kind: 'Uploaded' });
    expect((await own.request('GET', `/pub/nar/${path.hash}.nar`)).status).toBe(200);
  } finally {
    await own.close();
  }
});
