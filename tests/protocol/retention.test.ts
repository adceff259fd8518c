import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  samplePath,
  startTestServer,
  upload,
  type SamplePath,
  type TestServer,
} from './harness.ts';
import { collect, collected } from './maintenance.ts';

const DAY_MS = 86_400_000;
const JSON_TYPE = { 'Content-Type': 'application/json' };

let offsetMs: number;
let server: TestServer;

beforeEach(async () => {
  offsetMs = 0;
  server = await startTestServer({ clock: { now: () => Date.now() + offsetMs } });
  await server.createCache('main', { is_public: true });
  await collected(server);
});
afterEach(() => server.close());

/** Uses are written down before time goes on, as they are within seconds. */
async function untilDay(day: number): Promise<void> {
  await collect(server, { dry_run: true });
  offsetMs = day * DAY_MS;
}

async function push(
  name: string,
  references: readonly SamplePath[] = [],
  size = 100,
): Promise<SamplePath> {
  const baseNames = references.map((path) => path.storePath.replace('/nix/store/', ''));
  // Nothing that compresses: its size decides about quotas.
  const noise = Array.from({ length: size }, (_, i) => (i * 7919 * (name.length + 3)) % 251);
  const content = Buffer.concat([Buffer.from(name), Buffer.from(noise)]);
  const path = await samplePath(name, content, baseNames);
  const reply = await upload(server, path, 'main');
  if (reply.status !== 200) throw new Error(reply.text);
  return path;
}

async function configure(changes: object): Promise<void> {
  const reply = await server.request('PATCH', '/_flywheel/v1/caches/main', {
    token: server.server.adminToken,
    headers: JSON_TYPE,
    body: JSON.stringify(changes),
  });
  if (reply.status !== 200) throw new Error(reply.text);
}

async function isThere(path: SamplePath): Promise<boolean> {
  const { status } = await server.request('GET', `/main/${path.hash}.narinfo`);
  return status === 200;
}

async function present(paths: Readonly<Record<string, SamplePath>>): Promise<readonly string[]> {
  const names: string[] = [];
  for (const [name, path] of Object.entries(paths)) if (await isThere(path)) names.push(name);
  return names;
}

test('what was not used within the period goes, closures stay whole', async () => {
  const lib = await push('lib');
  const app = await push('app', [lib]);
  const old = await push('old', [lib]);
  const oldLib = await push('old-lib');
  const older = await push('older', [oldLib]);
  await configure({ retention_seconds: 7 * 86_400 });
  await untilDay(6);
  expect(await isThere(app)).toBe(true);
  await untilDay(8);

  const run = await collect(server);

  expect(run).toMatchObject({ state: 'done', requested_by: 'admin' });
  expect(run.result.caches).toMatchObject([{ cache: 'main', paths: 3, kept_paths: 2 }]);
  expect(run.result.reclaimed).toMatchObject({ nars: 3, packs: 3 });
  expect(run.result.caches[0]?.examples.toSorted()).toEqual(
    [old, older, oldLib].map((path) => path.storePath).toSorted(),
  );
  expect(await present({ lib, app, old, oldLib, older })).toEqual(['lib', 'app']);
});

test('a push keeps what it refers to, although nobody asked for that', async () => {
  const lib = await push('lib');
  await configure({ retention_seconds: 7 * 86_400 });
  await untilDay(8);
  const app = await push('app', [lib]);
  await untilDay(14);
  await collect(server);
  expect(await present({ lib, app })).toEqual(['lib', 'app']);
});

test('a quota lets go what was used longest ago, and spares what is new', async () => {
  const first = await push('first', [], 30_000);
  await untilDay(1);
  const second = await push('second', [], 30_000);
  await untilDay(2);
  const third = await push('third', [second], 1000);
  await configure({ quota_bytes: 2000 });

  const early = await collect(server);
  expect(early.result.caches).toMatchObject([{ paths: 1, over_quota: false }]);
  expect(await isThere(first)).toBe(false);
  expect(await isThere(second)).toBe(true);

  await configure({ quota_bytes: 10 });
  const spared = await collect(server);
  expect(spared.result.caches).toMatchObject([{ paths: 0, over_quota: true }]);
  await untilDay(3);
  expect((await collect(server)).result.caches).toMatchObject([{ paths: 2, kept_paths: 0 }]);
  expect(await isThere(third)).toBe(false);
});

test('a dry run says what would go, and removes nothing', async () => {
  const path = await push('path');
  await configure({ retention_seconds: 60 });
  await untilDay(1);
  const run = await collect(server, { dry_run: true });
  expect(run.result).toMatchObject({
    dry_run: true,
    caches: [
      {
        cache: 'main',
        paths: 1,
        logical_bytes: path.nar.length,
        kept_paths: 0,
        examples: [path.storePath],
      },
    ],
  });
  expect(run.result.caches[0]?.stored_bytes).toBeGreaterThan(0);
  expect(run.result.reclaimed).toBeUndefined();
  expect(await isThere(path)).toBe(true);
});

test('pins keep the closures of their newest revisions', async () => {
  const lib = await push('lib');
  const releases = [await push('one', [lib]), await push('two', [lib]), await push('three')];
  for (const path of releases) {
    const reply = await pin('release', { store_path: path.storePath, keep_revisions: 2 });
    expect(reply.status).toBe(200);
  }
  await configure({ retention_seconds: 60 });
  await untilDay(1);
  await collect(server);
  const [one, two, three] = releases as [SamplePath, SamplePath, SamplePath];
  expect(await present({ lib, one, two, three })).toEqual(['lib', 'two', 'three']);

  const listed = await server.request('GET', '/_flywheel/v1/caches/main/pins');
  expect(listed.json()).toMatchObject({
    pins: [
      {
        name: 'release',
        keep_revisions: 2,
        keep_days: null,
        revisions: [
          { revision: 3, store_path: three.storePath, created_by: null },
          { revision: 2, store_path: two.storePath },
        ],
      },
    ],
  });
  const token = server.server.adminToken;
  const path = '/_flywheel/v1/caches/main/pins/release';
  expect((await server.request('GET', path, { token })).json()).toMatchObject({
    revisions: [{ created_by: 'admin' }, { created_by: 'admin' }],
  });
  expect((await server.request('DELETE', path, { token })).status).toBe(204);
  expect((await server.request('DELETE', path, { token })).status).toBe(404);
  await untilDay(2);
  await collect(server);
  expect(await present({ lib, one, two, three })).toEqual([]);
});

test('a pin of days empties itself; setting it again renews it', async () => {
  const path = await push('preview');
  const policy = { store_path: path.storePath, keep_revisions: 0, keep_days: 14 };
  await pin('feature%2Flogin', policy);
  await configure({ retention_seconds: 60 });
  await untilDay(10);
  expect(await (await pin('feature%2Flogin', policy)).json()).toMatchObject({
    name: 'feature/login',
    revisions: [{ revision: 2 }],
  });
  await untilDay(23);
  expect((await collect(server)).result.caches).toMatchObject([{ paths: 0 }]);
  await untilDay(25);
  expect((await collect(server)).result.caches).toMatchObject([{ paths: 1 }]);
});

test('what a pin must be', async () => {
  const path = await push('path');
  const { storePath } = path;
  const missing = await samplePath('missing', 'missing');
  const absent = await pin('x', { store_path: missing.storePath });
  expect([absent.status, absent.json()]).toMatchObject([404, { error: 'NoSuchObject' }]);
  const cases: [string, object, number][] = [
    ['x', { store_path: '/elsewhere/x' }, 400],
    ['x', { store_path: storePath, keep_revisions: 0 }, 400],
    ['x', { store_path: storePath, keep_revisions: -1 }, 422],
    ['x', {}, 422],
    ['%20', { store_path: storePath }, 400],
    ['a'.repeat(201), { store_path: storePath }, 400],
  ];
  for (const [name, body, status] of cases) expect((await pin(name, body)).status).toBe(status);
  const reader = await server.token({ pull: ['main'] });
  expect((await pin('x', { store_path: storePath }, reader)).status).toBe(403);
  const pusher = await server.token({ push: ['main'] });
  expect((await pin('x', { store_path: storePath }, pusher)).status).toBe(200);
  const gone = await server.request('DELETE', '/_flywheel/v1/caches/main/pins/x', {
    token: pusher,
  });
  expect(gone.status).toBe(403);
});

test('who may ask for a run, and see it', async () => {
  await server.createCache('secret');
  const ask = (token: string | undefined, body: object) =>
    server.request('POST', '/_flywheel/v1/runs', {
      ...(token === undefined ? {} : { token }),
      headers: JSON_TYPE,
      body: JSON.stringify(body),
    });
  const one = await server.token({ delete: ['main'] });
  const pusher = await server.token({ push: ['*'] });
  const all = await server.token({ delete: ['*'] });
  expect((await ask(undefined, { kind: 'retention' })).status).toBe(401);
  expect((await ask(pusher, { kind: 'retention' })).status).toBe(403);
  expect((await ask(one, { kind: 'retention' })).status).toBe(403);
  expect((await ask(one, { kind: 'retention', cache: 'secret' })).status).toBe(401);
  expect((await ask(all, { kind: 'nonsense' })).status).toBe(400);
  expect((await ask(all, { kind: 'retention', dry_run: 'yes' })).status).toBe(422);
  const mine = (await ask(one, { kind: 'retention', cache: 'main' })).json() as { id: number };
  const theirs = (await ask(all, { kind: 'retention' })).json() as { id: number };
  await collected(server);
  const see = async (token: string, id: number): Promise<number> =>
    (await server.request('GET', `/_flywheel/v1/runs/${id}`, { token })).status;
  expect(await see(one, mine.id)).toBe(200);
  expect(await see(one, theirs.id)).toBe(404);
  expect(await see(all, theirs.id)).toBe(200);
  const listed = await server.request('GET', '/_flywheel/v1/runs', { token: one });
  expect((listed.json() as { runs: { id: number }[] }).runs.map(({ id }) => id)).toEqual([mine.id]);
});

test('settings are shown to who may pull and changed by who may set retention', async () => {
  await configure({ retention_seconds: 60, quota_bytes: 1000 });
  const path = '/_flywheel/v1/caches/main';
  expect((await server.request('GET', path)).json()).toEqual({
    name: 'main',
    retention_seconds: 60,
    default_retention_seconds: null,
    quota_bytes: 1000,
  });
  await configure({ quota_bytes: null });
  expect((await server.request('GET', path)).json()).toMatchObject({
    retention_seconds: 60,
    quota_bytes: null,
  });
  const patch = async (token: string, body: object): Promise<number> =>
    (
      await server.request('PATCH', path, {
        token,
        headers: JSON_TYPE,
        body: JSON.stringify(body),
      })
    ).status;
  const configurer = await server.token({ configureCache: ['main'] });
  expect(await patch(configurer, { quota_bytes: 5 })).toBe(403);
  const { adminToken } = server.server;
  expect(await patch(adminToken, {})).toBe(400);
  expect(await patch(adminToken, { quota: 5 })).toBe(422);
  expect(await patch(adminToken, { quota_bytes: 0 })).toBe(422);
});

async function pin(name: string, body: object, token = server.server.adminToken) {
  return server.request('PUT', `/_flywheel/v1/caches/main/pins/${name}`, {
    token,
    headers: JSON_TYPE,
    body: JSON.stringify(body),
  });
}
