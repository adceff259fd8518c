import { afterAll, beforeAll, expect, test } from 'vitest';
import { samplePath, startTestServer, upload, type TestServer } from './harness.ts';

// What caches hold, and taking paths out of them.

let server: TestServer;
let token: string;

beforeAll(async () => {
  server = await startTestServer();
  token = server.server.adminToken;
});

afterAll(() => server.close());

interface Page {
  readonly paths: readonly { readonly store_path: string; readonly hash: string }[];
  readonly next: string | null;
}

test('caches are shown to those who may know of them, with figures to those who may pull', async () => {
  await server.createCache('open', { is_public: true });
  await server.createCache('closed');
  const path = await samplePath('figures', 'x'.repeat(5000));
  await upload(server, path, 'closed');
  const list = async (caller: { token?: string }) => {
    const reply = await server.request('GET', '/_flywheel/v1/caches', caller);
    return (reply.json() as { caches: { name: string; figures: unknown }[] }).caches.map(
      ({ name, figures }) => [name, figures],
    );
  };
  const nothing = { paths: 0, nar_bytes: 0, file_bytes: 0 };
  expect(await list({})).toEqual([['open', nothing]]);
  const pusher = await server.token({ push: ['closed'] });
  expect(await list({ token: pusher })).toEqual([
    ['closed', null],
    ['open', nothing],
  ]);
  const reader = await server.token({ pull: ['closed'] });
  const figures = {
    paths: 1,
    nar_bytes: path.nar.length,
    file_bytes: expect.any(Number) as number,
  };
  expect(await list({ token: reader })).toEqual([
    ['closed', figures],
    ['open', nothing],
  ]);
});

test('paths are listed in pages, for those who may pull', async () => {
  await server.createCache('listed');
  const all: string[] = [];
  for (const name of ['alpha', 'beta', 'gamma', 'delta', 'alphabet']) {
    const path = await samplePath(name, name);
    await upload(server, path, 'listed');
    all.push(path.storePath);
  }
  const list = async (query: string) => {
    const reply = await server.request('GET', `/_flywheel/v1/caches/listed/paths${query}`, {
      token,
    });
    expect(reply.status, reply.text).toBe(200);
    return reply.json() as Page;
  };
  const namesOf = ({ paths }: Page) => paths.map(({ store_path }) => store_path.slice(44));
  const byName = ['alpha', 'alphabet', 'beta', 'delta', 'gamma'];
  const first = await list('?sort=name&limit=2');
  const second = await list(`?sort=name&limit=2&after=${first.next ?? ''}`);
  const third = await list(`?sort=name&limit=2&after=${second.next ?? ''}`);
  expect([first, second, third].flatMap(namesOf)).toEqual(byName);
  expect(third.next).toBeNull();
  expect(namesOf(await list('?sort=name&search=ALPHA'))).toEqual(['alpha', 'alphabet']);
  expect(namesOf(await list(`?search=${all[1] ?? ''}`))).toEqual(['beta']);
  expect((await list('?search=beta')).paths[0]).toMatchObject({
    store_path: all[1],
    created_by: 'admin',
    references: 0,
    damaged: false,
  });

  const refusals = [
    '?limit=0',
    '?limit=1001',
    '?sort=random',
    '?search=%00',
    '?after=x',
    `?sort=size&after=${first.next ?? ''}`,
    '?unknown=1',
  ];
  for (const query of refusals) {
    const reply = await server.request('GET', `/_flywheel/v1/caches/listed/paths${query}`, {
      token,
    });
    expect(reply.status, query).toBe(400);
  }
  expect((await server.request('GET', '/_flywheel/v1/caches/listed/paths')).status).toBe(401);
  const pusher = await server.token({ push: ['listed'] });
  const refused = await server.request('GET', '/_flywheel/v1/caches/listed/paths', {
    token: pusher,
  });
  expect(refused.status).toBe(403);
});

test('a path is taken out of its cache only, and can come back', async () => {
  await server.createCache('one', { is_public: true });
  await server.createCache('two', { is_public: true });
  const path = await samplePath('removed', 'removed');
  await upload(server, path, 'one');
  await upload(server, path, 'two');
  const url = `/one/${path.hash}.narinfo`;
  const remove = (caller: { token?: string }) => server.request('DELETE', url, caller);

  expect((await server.request('GET', url)).status).toBe(200);
  expect((await remove({})).status).toBe(403);
  expect((await remove({ token: await server.token({ push: ['one'] }) })).status).toBe(403);
  const deleter = await server.token({ delete: ['one'] });
  const removed = await remove({ token: deleter });
  expect([removed.status, removed.json()]).toEqual([200, { store_path: path.storePath }]);

  expect((await server.request('GET', url)).status).toBe(404);
  expect((await server.request('GET', `/one/nar/${path.hash}.nar`)).status).toBe(404);
  expect((await server.request('GET', `/two/nar/${path.hash}.nar`)).status).toBe(200);
  expect((await remove({ token: deleter })).status).toBe(404);
  await upload(server, path, 'one');
  expect((await server.request('GET', url)).status).toBe(200);

  const audit = await server.request('GET', '/_flywheel/v1/audit?action=delete', { token });
  expect(audit.json()).toMatchObject({
    entries: [{ action: 'delete', cache: 'one', target: path.storePath, subject: 'test' }],
  });
});

test('a path that others refer to stays, unless it is forced', async () => {
  await server.createCache('closure');
  const library = await samplePath('library', 'library');
  const program = await samplePath('program', 'program');
  const references = [library.storePath.slice('/nix/store/'.length)];
  await upload(server, library, 'closure', { references });
  await upload(server, program, 'closure', { references });
  const url = `/closure/${library.hash}.narinfo`;

  const refused = await server.request('DELETE', url, { token });
  expect([refused.status, refused.json()]).toEqual([
    409,
    {
      code: 409,
      error: 'PathInUse',
      message: `The path is needed: ${program.storePath} refers to it; remove that first, or force it`,
    },
  ]);
  expect((await server.request('GET', url, { token })).status).toBe(200);
  expect((await server.request('DELETE', `${url}?force=perhaps`, { token })).status).toBe(400);
  expect((await server.request('DELETE', `${url}?force=true`, { token })).status).toBe(200);
  expect((await server.request('GET', url, { token })).status).toBe(404);
  expect((await server.request('DELETE', '/closure/x.narinfo', { token })).status).toBe(400);
  expect((await server.request('DELETE', `/closure/${library.hash}.ls`, { token })).status).toBe(
    404,
  );
});

test('a pinned path stays, unless it is forced', async () => {
  await server.createCache('pinned');
  const path = await samplePath('release', 'release');
  await upload(server, path, 'pinned');
  const pinned = await server.request('PUT', '/_flywheel/v1/caches/pinned/pins/stable', {
    token,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ store_path: path.storePath }),
  });
  expect(pinned.status).toBe(200);
  const url = `/pinned/${path.hash}.narinfo`;

  const refused = await server.request('DELETE', url, { token });
  expect([refused.status, refused.json()]).toEqual([
    409,
    {
      code: 409,
      error: 'PathInUse',
      message: 'The path is needed: it is pinned as stable; remove the pin first, or force it',
    },
  ]);
  expect((await server.request('GET', url, { token })).status).toBe(200);
  expect((await server.request('DELETE', `${url}?force=true`, { token })).status).toBe(200);
  expect((await server.request('GET', url, { token })).status).toBe(404);
});
