import { createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CacheServerOptions } from '@flywheel/cache';
import { claimsIn, encoded, headerOf, signJwt } from './jwt.ts';
import { samplePath, startTestServer, upload, type Reply, type TestServer } from './harness.ts';

let folder: string;
let server: TestServer;
let ahead: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flywheel-tokens-'));
  ahead = 0;
  server = await start();
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

async function start(options: Partial<CacheServerOptions> = {}): Promise<TestServer> {
  const started = await startTestServer({
    clock: { now: () => Date.now() + ahead },
    ...options,
  });
  await started.createCache('pub', { is_public: true });
  await started.createCache('priv');
  return started;
}

function post(path: string, body: unknown, token = server.server.adminToken): Promise<Reply> {
  return server.request('POST', `/_flywheel/v1/${path}`, {
    token,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

interface Created {
  readonly token: string;
  readonly id: string;
}

async function create(changes: Record<string, unknown> = {}, token?: string): Promise<Created> {
  const reply = await post('tokens', { ...REQUEST, ...changes }, token);
  expect([reply.status, reply.text]).toEqual([201, expect.any(String)]);
  return reply.json() as Created;
}

const REQUEST = {
  subject: 'ci',
  validity_seconds: 3600,
  grants: [{ cache: 'priv', allow: ['pull', 'push'] }],
};

async function read(token: string, cache = 'priv'): Promise<readonly [number, string]> {
  const reply = await server.request('GET', `/${cache}/nix-cache-info`, { token });
  const message = reply.status === 200 ? '' : (reply.json() as { message: string }).message;
  return [reply.status, message];
}

test('a token that the server makes is in Attic’s format, and is listed without itself', async () => {
  const { token, id } = await create();

  const now = Math.floor(Date.now() / 1000);
  const claims = claimsIn(token);
  expect(claims).toEqual({
    'https://jwt.attic.rs/v1': { caches: { priv: { r: 1, w: 1 } } },
    sub: 'ci',
    iat: claims['nbf'],
    nbf: expect.closeTo(now, -1) as number,
    exp: (claims['nbf'] as number) + 3600,
    jti: id,
  });
  expect(headerOf(token)).toMatchObject({ alg: 'HS256', typ: 'JWT' });
  expect(await read(token)).toEqual([200, '']);
  const listed = await server.request('GET', '/_flywheel/v1/tokens', {
    token: server.server.adminToken,
  });
  expect(listed.text).not.toContain(token.split('.')[2]);
  expect(listed.json()).toMatchObject({
    tokens: [
      {
        id,
        subject: 'ci',
        grants: [{ cache: 'priv', allow: ['pull', 'push'] }],
        kid: headerOf(token)['kid'],
        origin: 'api',
        created_by: 'admin',
        revoked: false,
      },
    ],
    next: null,
  });
});

test('who may mint gives away no more than there is', async () => {
  const { token: lead } = await create({
    subject: 'lead',
    grants: [
      { cache: 'team-secret', allow: ['pull'] },
      { cache: 'team-*', allow: ['pull', 'push'] },
    ],
    may_mint: true,
    requests_per_second: 50,
  });
  const ask = async (changes: Record<string, unknown>): Promise<number> =>
    (await post('tokens', { ...REQUEST, ...changes }, lead)).status;
  const grants = (cache: string, ...allow: readonly string[]) => ({ grants: [{ cache, allow }] });

  const { token, id } = await create(grants('team-a*', 'push'), lead);
  expect(claimsIn(token)['flywheel']).toEqual({ requests_per_second: 50 });
  expect(await ask(grants('team-secret', 'pull'))).toBe(201);
  expect(await ask(grants('team-secret', 'push'))).toBe(403);
  expect(await ask(grants('team-*', 'push'))).toBe(403);
  expect(await ask(grants('team*', 'pull'))).toBe(403);
  expect(await ask(grants('*', 'pull'))).toBe(403);
  expect(await ask(grants('team-a', 'destroy-cache'))).toBe(403);
  expect(await ask({ ...grants('team-a', 'pull'), may_mint: true })).toBe(403);
  expect(await ask({ ...grants('team-a', 'pull'), validity_seconds: 7200 })).toBe(403);

  // Its own, and no others.
  await create();
  const own = await server.request('GET', '/_flywheel/v1/tokens', { token: lead });
  const { tokens } = own.json() as { tokens: { id: string }[] };
  expect(tokens.map((each) => each.id)).toContain(id);
  expect(tokens).toHaveLength(2);
  const { token: plain } = await create();
  expect((await post('tokens', REQUEST, plain)).status).toBe(403);
  expect((await server.request('GET', '/_flywheel/v1/audit', { token: lead })).status).toBe(403);
});

test('what is no request for a token is refused with the reason', async () => {
  const status = async (changes: Record<string, unknown>) => {
    const reply = await post('tokens', { ...REQUEST, ...changes });
    return [reply.status, (reply.json() as { message: string }).message];
  };
  expect(await status({ grants: [] })).toEqual([422, expect.stringContaining('grants')]);
  expect(await status({ grants: [{ cache: 'a?', allow: ['pull'] }] })).toEqual([
    422,
    'Invalid request body: grants.0.cache: must be the name of a cache, or a pattern with *',
  ]);
  expect(await status({ validity_seconds: 0 })).toEqual([422, expect.any(String)]);
  expect(await status({ subject: 'a\nb' })).toEqual([422, expect.stringContaining('one line')]);
  expect(await status({ subject: 'a\0b' })).toEqual([422, expect.stringContaining('one line')]);
});

test('a revoked token counts no more; who holds it may revoke it, and only it', async () => {
  const one = await create();
  const other = await create();
  expect(await read(one.token)).toEqual([200, '']);

  expect((await post('revocations', { id: other.id }, one.token)).status).toBe(404);
  expect((await post('revocations', { subject: 'ci' }, one.token)).status).toBe(403);
  expect((await post('revocations', { id: one.id, reason: 'leaked' }, one.token)).status).toBe(200);

  expect(await read(one.token)).toEqual([401, 'The token has been revoked.']);
  expect(await read(one.token, 'nosuch')).toEqual([401, 'The token has been revoked.']);
  expect(await read(other.token)).toEqual([200, '']);
  const shown = await server.request('GET', `/_flywheel/v1/tokens/${one.id}`, {
    token: server.server.adminToken,
  });
  expect(shown.json()).toMatchObject({ id: one.id, revoked: true });
  const revocations = await server.request('GET', '/_flywheel/v1/revocations', {
    token: server.server.adminToken,
  });
  expect(revocations.json()).toMatchObject({
    revocations: [{ token: one.id, subject: null, reason: 'leaked', by: 'ci' }],
  });
});

test('all of a subject, and all of everybody until a time; the administrator gets a new one', async () => {
  const ci = await create();
  const ada = await create({ subject: 'ada' });
  expect((await post('revocations', { subject: 'ci' })).status).toBe(200);
  expect(await read(ci.token)).toEqual([401, 'The token has been revoked.']);
  expect(await read(ada.token)).toEqual([200, '']);

  const before = server.server.adminToken;
  const past = new Date(Date.now() - 60_000).toISOString();
  expect((await post('revocations', { everybody: true, issued_until: past })).status).toBe(200);
  expect(await read(ada.token)).toEqual([200, '']);
  const future = new Date(Date.now() + 60_000).toISOString();
  expect((await post('revocations', { everybody: true, issued_until: future })).status).toBe(400);
  ahead = 3000;
  expect((await post('revocations', { everybody: true })).status).toBe(200);
  expect(await read(ada.token)).toEqual([401, 'The token has been revoked.']);
  expect((await read(before))[0]).toBe(401);
  const after = server.server.adminToken;
  expect(after).not.toBe(before);
  expect(await read(after)).toEqual([200, '']);
  const file = join(server.dataDir, 'keys', 'admin.token');
  expect((await readFile(file, 'utf8')).trim()).toBe(after);

  ahead = 5000;
  expect(await read((await create()).token)).toEqual([200, '']);
});

test('a worthless token is told why, whatever it asks for, and a public cache is read all the same', async () => {
  const key = Buffer.from(
    await readFile(join(server.dataDir, 'keys', 'token-hs256.secret'), 'utf8'),
    'base64',
  );
  const now = Math.floor(Date.now() / 1000);
  const claims = { 'https://jwt.attic.rs/v1': { caches: { '*': { r: 1, w: 1 } } }, sub: 'x' };
  const cases: readonly (readonly [string, string | RegExp])[] = [
    [signJwt({ ...claims, exp: now - 180 }, key), /^The token expired 3 min \d s ago\.$/],
    [signJwt({ ...claims, nbf: now + 600 }, key), /^The token is not valid before \d+ min/],
    [signJwt(claims, randomBytes(32)), 'The token is not signed by a key of this server.'],
    [signJwt({ sub: 'x' }, key), /its claims are not those of a cache token\.$/],
    ['garbage', 'The token is not signed by a key of this server.'],
  ];
  for (const [token, message] of cases) {
    for (const cache of ['priv', 'nosuch']) {
      const reply = await server.request('GET', `/${cache}/nix-cache-info`, { token });
      expect(reply.status).toBe(401);
      const said = (reply.json() as { message: string }).message;
      expect(said).toMatch(message);
      expect(reply.headers['www-authenticate']).toBe(
        `Bearer realm="cache", error="invalid_token", error_description="${said}"`,
      );
    }
    expect(await read(token, 'pub')).toEqual([200, '']);
    // Not 403, which would mean that the token is good.
    const path = await samplePath('x', 'x');
    expect((await upload(server, path, 'pub', {}, token)).status).toBe(401);
  }
  const basic = (text: string) => ({
    Authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });
  const empty = await server.request('GET', '/priv/nix-cache-info', { headers: basic('nocolon') });
  expect(empty.text).toContain('The Authorization header holds no token');
  const none = await server.request('GET', '/priv/nix-cache-info');
  expect([none.text.includes('Unauthorized.'), none.headers['www-authenticate']]).toEqual([
    true,
    'Bearer realm="cache"',
  ]);
});

test('keys of each algorithm from a folder, in every form; Attic’s tokens name none of them', async () => {
  const keys = join(folder, 'keys');
  await mkdir(keys);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = rsa.privateKey.export({ type: 'pkcs1', format: 'pem' });
  const secret = randomBytes(32);
  await writeFile(join(keys, '1-attic.secret'), `${secret.toString('base64')}\n`);
  await writeFile(join(keys, '2-attic-rsa.b64'), Buffer.from(pem).toString('base64'));
  const ed = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  await writeFile(join(keys, '3.jwk'), JSON.stringify({ ...ed, kid: 'ed-1' }));
  await server.close();
  server = await start({ tokenKeys: keys });

  const claims = { 'https://jwt.attic.rs/v1': { caches: { priv: { r: 1 } } } };
  expect(await read(signJwt(claims, secret))).toEqual([200, '']);
  expect(await read(signJwt(claims, rsa.privateKey))).toEqual([200, '']);
  expect(await read(signJwt(claims, rsa.privateKey, { kid: 'theirs' }))).toEqual([200, '']);
  const made = await create();
  expect(headerOf(made.token)).toEqual({ alg: 'EdDSA', typ: 'JWT', kid: 'ed-1' });
  expect(await read(made.token)).toEqual([200, '']);

  const jwks = (await server.request('GET', '/.well-known/jwks.json')).json() as {
    keys: Record<string, unknown>[];
  };
  expect(jwks.keys.map(({ kty, alg }) => [kty, alg])).toEqual([
    ['RSA', 'RS256'],
    ['OKP', 'EdDSA'],
  ]);
  expect(JSON.stringify(jwks)).not.toMatch(/"(?:d|p|q|k)":/);
  const [head, body, signature = ''] = made.token.split('.');
  const publicKey = createPublicKey({ key: jwks.keys[1] as object, format: 'jwk' });
  const good = verify(
    null,
    Buffer.from(`${head}.${body}`),
    publicKey,
    Buffer.from(signature, 'base64url'),
  );
  expect(good).toBe(true);

  // The published key, taken for a secret, or signing under another algorithm's name.
  const spki = rsa.publicKey.export({ type: 'spki', format: 'pem' });
  for (const token of [
    signJwt(claims, Buffer.from(spki)),
    signJwt(claims, Buffer.from(JSON.stringify(jwks.keys[0]))),
    signJwt(claims, rsa.privateKey, { alg: 'EdDSA', kid: 'ed-1' }),
    signJwt(claims, secret, { alg: 'RS256' }),
    `${encoded({ alg: 'none' })}.${encoded(claims)}.`,
  ]) {
    expect((await read(token))[0]).toBe(401);
  }
});

test('keys are rotated while the server runs', async () => {
  const keys = join(folder, 'keys');
  await mkdir(keys);
  await writeFile(join(keys, '1.secret'), randomBytes(32).toString('base64'));
  await server.close();
  server = await start({ tokenKeys: keys, reloadEveryMs: 50 });
  const old = await create();
  expect((await server.request('GET', '/.well-known/jwks.json')).status).toBe(404);

  const ed = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  await writeFile(join(keys, '2.jwk'), JSON.stringify({ ...ed, kid: 'second' }));
  const kidOfNew = async () => headerOf((await create()).token)['kid'];
  await expect.poll(kidOfNew, { timeout: 10_000, interval: 200 }).toBe('second');
  expect(await read(old.token)).toEqual([200, '']);

  // Broken for a while: what was good stays.
  await writeFile(join(keys, '3.jwk'), '{"kty":');
  await rename(join(keys, '1.secret'), join(keys, '1.secret.gone'));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await read(old.token)).toEqual([200, '']);
  await rm(join(keys, '3.jwk'));
  await rm(join(keys, '1.secret.gone'));
  await expect
    .poll(() => read(old.token), { timeout: 10_000, interval: 200 })
    .toEqual([401, 'The token is not signed by a key of this server.']);
  expect((await create()).token).toMatch(/^ey/);
});

test('too many requests of a token, and of an address without one, are 429', async () => {
  await server.close();
  server = await start({ rates: { anonymousRequestsPerSecond: 0.3 } });
  const { token } = await create({ requests_per_second: 0.3 });
  const statuses = async (each?: string): Promise<readonly number[]> => {
    const result = [];
    for (let i = 0; i < 4; i += 1) {
      const options = each === undefined ? {} : { token: each };
      result.push((await server.request('GET', '/pub/nix-cache-info', options)).status);
    }
    return result;
  };
  expect(await statuses(token)).toEqual([200, 200, 200, 429]);
  expect(await statuses()).toEqual([200, 200, 200, 429]);
  expect(await statuses(server.server.adminToken)).toEqual([200, 200, 200, 200]);
  const refused = await server.request('GET', '/pub/nix-cache-info', { token });
  expect(refused.json()).toMatchObject({ code: 429, error: 'TooManyRequests' });
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  ahead = 60_000;
  expect(await statuses(token)).toEqual([200, 200, 200, 429]);
});

test('a remembered narinfo counts against the rate as any other', async () => {
  const path = await samplePath('counted', 'counted');
  await upload(server, path, 'priv');
  const { token } = await create({ requests_per_second: 1 });
  const statuses = [];
  for (let i = 0; i < 12; i += 1) {
    statuses.push((await server.request('GET', `/priv/${path.hash}.narinfo`, { token })).status);
  }
  expect(statuses.slice(0, 10)).toEqual(Array(10).fill(200));
  expect(statuses[11]).toBe(429);
});

test('who uploads too much waits, and is refused when that would take long', async () => {
  const noise = await samplePath('noise', randomBytes(200_000));
  const more = await samplePath('more', 'more');
  const slow = await create({ upload_bytes_per_second: 19_000 });
  const started = performance.now();
  expect((await upload(server, noise, 'priv', {}, slow.token)).status).toBe(200);
  expect((await upload(server, more, 'priv', {}, slow.token)).status).toBe(200);
  expect(performance.now() - started).toBeGreaterThan(500);

  const slower = await create({ upload_bytes_per_second: 1000 });
  expect((await upload(server, noise, 'priv', {}, slower.token)).status).toBe(200);
  const refused = await upload(server, more, 'priv', {}, slower.token);
  expect(refused.status).toBe(429);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(100);
});

test('every write is on record, the newest first, page by page', async () => {
  const { token, id } = await create();
  const path = await samplePath('pushed', 'pushed');
  await upload(server, path, 'priv', {}, token);
  await post('revocations', { id });
  await server.request('DELETE', '/_api/v1/cache-config/priv', {
    token: server.server.adminToken,
  });

  const audit = async (query: string) => {
    const options = { token: server.server.adminToken };
    const reply = await server.request('GET', `/_flywheel/v1/audit?${query}`, options);
    return reply.json() as { entries: Record<string, unknown>[]; next: number | null };
  };
  const all = await audit('');
  expect(all.entries.map(({ action, cache, target }) => [action, cache, target])).toEqual([
    ['destroy-cache', 'priv', null],
    ['revoke', null, id],
    ['push', 'priv', path.storePath],
    ['create-token', null, id],
    ['create-cache', 'priv', null],
    ['create-cache', 'pub', null],
  ]);
  expect(all.entries[2]).toMatchObject({
    subject: 'ci',
    token: id,
    remote_address: '127.0.0.1',
    request_id: expect.any(String) as string,
    result: 'ok',
  });
  const first = await audit('limit=2');
  expect(first.entries).toEqual(all.entries.slice(0, 2));
  const second = await audit(`limit=2&before=${first.next}`);
  expect(second.entries).toEqual(all.entries.slice(2, 4));
  expect((await audit('cache=priv&action=push')).entries).toEqual([all.entries[2]]);
  expect((await audit(`since=${new Date(Date.now() + 60_000).toISOString()}`)).entries).toEqual([]);
  const bad = await server.request('GET', '/_flywheel/v1/audit?since=yesterday', {
    token: server.server.adminToken,
  });
  expect(bad.status).toBe(400);
  expect((await server.request('GET', '/_flywheel/v1/audit')).status).toBe(401);
});

test('the address behind a proxy is the one that the proxy has seen', async () => {
  await server.close();
  server = await start({ settings: { trustForwardedFor: true } });
  await server.request('DELETE', '/_api/v1/cache-config/priv', {
    token: server.server.adminToken,
    headers: { 'X-Forwarded-For': '6.6.6.6, 203.0.113.9' },
  });
  const { entries } = (
    await server.request('GET', '/_flywheel/v1/audit', { token: server.server.adminToken })
  ).json() as { entries: Record<string, unknown>[] };
  expect(entries[0]).toMatchObject({ action: 'destroy-cache', remote_address: '203.0.113.9' });
});
