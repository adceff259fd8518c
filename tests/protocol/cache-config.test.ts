import { afterAll, beforeAll, expect, test } from 'vitest';
import { fingerprint, parseNarInfo, PublicKey } from '@flywheel/nix';
import {
  NEW_CACHE,
  samplePath,
  startTestServer,
  upload,
  type Reply,
  type TestServer,
} from './harness.ts';

let server: TestServer;
let admin: string;

beforeAll(async () => {
  server = await startTestServer();
  admin = server.server.adminToken;
});

afterAll(() => server.close());

const JSON_TYPE = { 'Content-Type': 'application/json' };

function call(method: string, cache: string, body?: unknown, token = admin): Promise<Reply> {
  return server.request(method, `/_api/v1/cache-config/${cache}`, {
    token,
    headers: JSON_TYPE,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

test('create answers 200 with an empty body, and a second time CacheAlreadyExists', async () => {
  const created = await call('POST', 'new', NEW_CACHE);
  expect([created.status, created.text]).toEqual([200, '']);
  const again = await call('POST', 'new', NEW_CACHE);
  expect([again.status, again.json()]).toEqual([
    400,
    { code: 400, error: 'CacheAlreadyExists', message: 'The cache already exists.' },
  ]);
});

test('create needs create-cache for that very name', async () => {
  const token = await server.token({ createCache: ['team-*'], pull: ['other'] });
  expect((await call('POST', 'team-a', NEW_CACHE, token)).status).toBe(200);
  expect((await call('POST', 'other', NEW_CACHE, token)).status).toBe(403);
  expect((await call('POST', 'elsewhere', NEW_CACHE, token)).status).toBe(401);
});

test('an imported keypair keeps its own name and signs', async () => {
  const Keypair =
    'attic-test:x326WFy/JUl+MQnN1u9NPdWQPBbcVn2mwoIqSLS3DmQqZ8qT8rBSxxEnyhtl3jDouBqodlyfq6F+HsVhbTYPMA==';
  await call('POST', 'imported', { ...NEW_CACHE, keypair: { Keypair } });
  const config = (await call('GET', 'imported')).json() as { public_key: string };
  expect(config.public_key).toBe('attic-test:KmfKk/KwUscRJ8obZd4w6LgaqHZcn6uhfh7FYW02DzA=');
  expect(JSON.stringify(config)).not.toContain('x326WFy');

  const path = await samplePath('signed', 'signed');
  await upload(server, path, 'imported');
  const narInfo = await server.request('GET', `/imported/${path.hash}.narinfo`, { token: admin });
  const info = parseNarInfo(narInfo.text);
  expect(info.sigs[0]?.split(':')[0]).toBe('attic-test');
  expect(PublicKey.parse(config.public_key).verify(fingerprint(info), info.sigs)).toBe(true);

  await call('PATCH', 'imported', { keypair: 'Generate' });
  const resigned = await server.request('GET', `/imported/${path.hash}.narinfo`, { token: admin });
  const sigs = parseNarInfo(resigned.text).sigs;
  expect(sigs[0]?.split(':')[0]).toBe('imported');
});

test.each([['not a key'], ['name-only:'], ['short:AAAA']])(
  'keypair %j is refused',
  async (Keypair) => {
    const reply = await call('POST', 'badkey', { ...NEW_CACHE, keypair: { Keypair } });
    expect([reply.status, (reply.json() as { error: string }).error]).toEqual([
      400,
      'RequestError',
    ]);
  },
);

test('configure changes what is named and ignores what is read-only', async () => {
  await call('POST', 'conf', NEW_CACHE);
  const reply = await call('PATCH', 'conf', {
    is_public: true,
    priority: 7,
    upstream_cache_key_names: [],
    store_dir: null,
    public_key: 'ignored:AAAA',
    api_endpoint: 'http://ignored/',
  });
  expect([reply.status, reply.text]).toEqual([200, '']);
  expect((await call('GET', 'conf')).json()).toMatchObject({
    is_public: true,
    priority: 7,
    upstream_cache_key_names: [],
    store_dir: '/nix/store',
  });
  expect((await server.request('GET', '/conf/nix-cache-info')).text).toContain('Priority: 7\n');
});

test.each([[{}], [{ is_public: null }], [{ public_key: 'x:y' }]])(
  'PATCH %j sets nothing',
  async (body) => {
    await call('POST', 'nothing', NEW_CACHE);
    const reply = await call('PATCH', 'nothing', body);
    expect([reply.status, reply.json()]).toEqual([
      400,
      {
        code: 400,
        error: 'RequestError',
        message: 'General request error: No modifiable fields were set.',
      },
    ]);
  },
);

test('retention: periods, zero, back to global, and the largest there is', async () => {
  await call('POST', 'kept', NEW_CACHE);
  const retention = async () =>
    ((await call('GET', 'kept')).json() as { retention_period: unknown }).retention_period;
  for (const value of [{ Period: 3600 }, { Period: 0 }, { Period: 2 ** 31 - 1 }, 'Global']) {
    expect((await call('PATCH', 'kept', { retention_period: value })).status).toBe(200);
    expect(await retention()).toEqual(value);
  }
  const over = await call('PATCH', 'kept', { retention_period: { Period: 2 ** 31 } });
  expect([over.status, over.json()]).toMatchObject([
    400,
    { message: 'General request error: Invalid retention period' },
  ]);
  expect((await call('PATCH', 'kept', { retention_period: 'Forever' })).status).toBe(422);
});

test('the retention that the stock client always sends harms nobody without the right to it', async () => {
  await call('POST', 'team', NEW_CACHE);
  await call('PATCH', 'team', { retention_period: { Period: 60 } });
  const token = await server.token({ configureCache: ['team'] });
  expect(
    (await call('PATCH', 'team', { is_public: true, retention_period: 'Global' }, token)).status,
  ).toBe(200);
  expect((await call('GET', 'team')).json()).toMatchObject({
    is_public: true,
    retention_period: { Period: 60 },
  });
  expect((await call('PATCH', 'team', { retention_period: { Period: 1 } }, token)).status).toBe(
    403,
  );
});

test('destroy removes the cache and what is in it, and only then', async () => {
  await call('POST', 'doomed', { ...NEW_CACHE, is_public: true });
  const path = await samplePath('doomed', 'doomed');
  await upload(server, path, 'doomed');
  const may = await server.token({ pull: ['doomed'] });
  expect((await call('DELETE', 'doomed', undefined, may)).status).toBe(403);
  const reply = await call('DELETE', 'doomed');
  expect([reply.status, reply.text]).toEqual([200, '']);
  expect((await server.request('GET', `/doomed/${path.hash}.narinfo`)).status).toBe(401);
  expect((await call('DELETE', 'doomed')).json()).toMatchObject({ error: 'NoSuchCache' });
  expect((await call('POST', 'doomed', NEW_CACHE)).status).toBe(200);
  expect(
    (await server.request('GET', `/doomed/${path.hash}.narinfo`, { token: admin })).status,
  ).toBe(404);
});
