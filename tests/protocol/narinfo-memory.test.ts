import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  samplePath,
  startTestServer,
  upload,
  type Reply,
  type RequestOptions,
  type SamplePath,
  type TestServer,
} from './harness.ts';

// A narinfo that was asked for before is answered by a shortcut before the router. It must be the
// same answer, and it must not outlive what it rests on.

const ABSENT = '0'.repeat(32);
const JSON_TYPE = { 'Content-Type': 'application/json' };

let server: TestServer;
let hello: SamplePath;
let tokens: Readonly<Record<string, string | undefined>>;

beforeAll(async () => {
  server = await startTestServer();
  hello = await samplePath('hello', 'Hello, world!\n');
  for (const name of ['pub', 'priv']) {
    await server.createCache(name, { is_public: name === 'pub' });
    await upload(server, hello, name);
  }
  tokens = {
    nobody: undefined,
    garbage: 'garbage',
    reader: await server.token({ pull: ['*'] }),
    pusher: await server.token({ push: ['*'] }),
    stranger: await server.token({ pull: ['other'] }),
  };
});

afterAll(() => server.close());

function ask(method: string, cache: string, hash: string, token?: string): Promise<Reply> {
  const options: RequestOptions = token === undefined ? {} : { token };
  return server.request(method, `/${cache}/${hash}.narinfo`, options);
}

/** All of an answer but when, and under which number. */
function essence({ status, headers, text }: Reply): unknown {
  const { date: _date, 'x-request-id': _id, ...others } = headers;
  return { status, headers: others, text };
}

const CASES = ['nobody', 'garbage', 'reader', 'pusher', 'stranger'].flatMap((who) =>
  ['pub', 'priv', 'nosuch'].map((cache) => [who, cache] as const),
);

test.each(CASES)('%s gets the same of %s from memory as from the endpoint', async (who, cache) => {
  for (const hash of [hello.hash, ABSENT]) {
    for (const method of ['GET', 'HEAD']) {
      await ask('GET', cache, hash, tokens['reader']);
      await ask(method, cache, hash, tokens[who]);
      const remembered = await ask(method, cache, hash, tokens[who]);
      // A query keeps the shortcut away.
      const path = `/${cache}/${hash}.narinfo?`;
      const token = tokens[who];
      const served = await server.request(method, path, token === undefined ? {} : { token });
      expect(essence(remembered)).toEqual(essence(served));
    }
  }
});

test('who may not read a cache does not by what others have read', async () => {
  expect((await ask('GET', 'priv', hello.hash, tokens['reader'])).status).toBe(200);
  expect((await ask('GET', 'priv', hello.hash, tokens['reader'])).status).toBe(200);
  for (const [who, status] of [
    ['nobody', 401],
    ['garbage', 401],
    ['stranger', 401],
    ['pusher', 403],
  ] as const) {
    for (const hash of [hello.hash, ABSENT]) {
      expect((await ask('GET', 'priv', hash, tokens[who])).status).toBe(status);
      expect((await ask('GET', 'priv', hash, tokens[who])).status).toBe(status);
    }
  }
});

test('what was absent is there as soon as its push is answered', async () => {
  const fresh = await samplePath('fresh', 'fresh');
  for (let i = 0; i < 3; i += 1) expect((await ask('GET', 'pub', fresh.hash)).status).toBe(404);
  expect((await upload(server, fresh, 'pub')).status).toBe(200);
  expect((await ask('GET', 'pub', fresh.hash)).status).toBe(200);
});

test('a change of the cache shows in the next answer', async () => {
  const token = server.server.adminToken;
  const configure = async (change: Record<string, unknown>) => {
    const body = JSON.stringify(change);
    const options = { token, headers: JSON_TYPE, body };
    const path = '/_api/v1/cache-config/changing';
    expect((await server.request('PATCH', path, options)).status).toBe(200);
  };
  await server.createCache('changing', { is_public: true });
  await upload(server, hello, 'changing');
  const before = await ask('GET', 'changing', hello.hash);
  expect((await ask('GET', 'changing', hello.hash)).text).toBe(before.text);

  await configure({ keypair: 'Generate' });
  const resigned = await ask('GET', 'changing', hello.hash);
  expect(resigned.status).toBe(200);
  expect(resigned.text).not.toBe(before.text);

  await configure({ is_public: false });
  expect((await ask('GET', 'changing', hello.hash)).status).toBe(401);
  const closed = await ask('GET', 'changing', hello.hash, token);
  expect([closed.status, closed.headers['x-attic-cache-visibility']]).toEqual([200, undefined]);

  await server.request('DELETE', '/_api/v1/cache-config/changing', { token });
  expect((await ask('GET', 'changing', hello.hash, token)).status).toBe(404);
  expect((await ask('GET', 'changing', hello.hash)).status).toBe(401);
});
