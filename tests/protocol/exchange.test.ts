import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AUDIENCE, startGitLabIssuer, type GitLabIssuer } from './gitlab-issuer.ts';
import { claimsIn, encoded, signJwt } from './jwt.ts';
import { samplePath, startTestServer, upload, type Reply, type TestServer } from './harness.ts';

let folder: string;
let gitlab: GitLabIssuer;
let server: TestServer;
let ahead: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flywheel-exchange-'));
  gitlab = await startGitLabIssuer();
  ahead = 0;
  server = await startTestServer({
    exchangePolicy: await policyFile(),
    rates: { exchangesPerSecond: 1000 },
    clock: { now: () => Date.now() + ahead },
  });
  await server.createCache('team');
});
afterEach(async () => {
  await server.close();
  await gitlab[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function policyFile(): Promise<string> {
  const file = join(folder, 'policy.yaml');
  await writeFile(
    file,
    `
issuers:
  - issuer: ${gitlab.url}
    audience: ${AUDIENCE}
    rules:
      - name: releases
        claims: { project_id: 4711, ref_protected: true, environment: release/* }
        grants:
          - { cache: release, allow: [pull, push] }
        ttl: 10m
      - name: protected branches
        claims: { project_id: 4711, ref_protected: true, ref_type: branch }
        grants:
          - { cache: team, allow: [pull, push] }
      - name: everybody in the group
        claims: { namespace_id: [72, 73], pipeline_source: [push, merge_request_event] }
        grants:
          - { cache: team, allow: [pull] }
      - name: another team's
        claims: { project_id: 99, ref: secret-branch }
        grants:
          - { cache: other, allow: [pull] }
`,
  );
  return file;
}

function exchange(idToken: string, headers: Record<string, string> = {}): Promise<Reply> {
  return server.request('POST', '/_flywheel/v1/exchange', {
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ id_token: idToken }),
  });
}

async function refusal(changes: Record<string, unknown>): Promise<string> {
  const reply = await exchange(gitlab.idToken(changes));
  expect(reply.status).toBe(401);
  expect(reply.headers['www-authenticate']).toContain('error="invalid_token"');
  return (reply.json() as { message: string }).message;
}

test('the token of a job on a protected branch pushes and pulls what the policy says', async () => {
  const reply = await exchange(gitlab.idToken());

  expect(reply.status).toBe(200);
  expect(reply.headers['cache-control']).toBe('no-store');
  const answer = reply.json() as { access_token: string };
  expect(answer).toMatchObject({
    token_type: 'Bearer',
    issued_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    expires_in: 3600,
    rule: 'protected branches',
    grants: [{ cache: 'team', allow: ['pull', 'push'] }],
  });
  const token = answer.access_token;
  expect(claimsIn(token)).toMatchObject({
    'https://jwt.attic.rs/v1': { caches: { team: { r: 1, w: 1 } } },
    sub: `${new URL(gitlab.url).host}:4711:group/app:main`,
  });
  const path = await samplePath('built', 'by CI');
  expect((await upload(server, path, 'team', {}, token)).status).toBe(200);
  expect((await server.request('GET', `/team/${path.hash}.narinfo`, { token })).status).toBe(200);
  expect((await server.request('GET', '/release/nix-cache-info', { token })).status).toBe(401);
});

test('as OAuth token exchange, and as text for scripts', async () => {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    subject_token: gitlab.idToken(),
  });
  const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const post = (body: URLSearchParams, headers = {}) =>
    server.request('POST', '/_flywheel/v1/exchange', {
      headers: { ...type, ...headers },
      body: body.toString(),
    });

  expect((await post(form)).json()).toMatchObject({ token_type: 'Bearer', expires_in: 3600 });
  const text = await post(form, { Accept: 'text/plain' });
  expect(text.text).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/);
  form.set('grant_type', 'password');
  expect((await post(form)).status).toBe(400);
});

test('the first rule that fits decides, by numbers and exact words', async () => {
  const ruleFor = async (changes: Record<string, unknown>): Promise<unknown> =>
    ((await exchange(gitlab.idToken(changes))).json() as { rule?: string }).rule;

  expect(await ruleFor({ environment: 'release/eu' })).toBe('releases');
  expect(await ruleFor({ environment: 'staging' })).toBe('protected branches');
  expect(await ruleFor({ ref_protected: 'false' })).toBe('everybody in the group');
  expect(await ruleFor({ project_id: '99' })).toBe('everybody in the group');
  // The path of the project says nothing.
  expect(await ruleFor({ project_id: '12', namespace_id: '13' })).toBeUndefined();
});

test('who fits no rule learns which claims of his are in the way, and nothing of others', async () => {
  expect(await refusal({ project_id: '12', namespace_id: '13' })).toBe(
    'The ID token is good, but no rule is for project_id 12 or namespace_id 13.',
  );
  expect(await refusal({ ref_protected: 'false', pipeline_source: 'web' })).toBe(
    'The ID token is good, but no rule for its project takes it with ref_protected "false", environment null, pipeline_source "web".',
  );
});

test('each check that an ID token can fail is named', async () => {
  const now = Math.floor(Date.now() / 1000);
  expect(await refusal({ aud: 'https://elsewhere.example.org' })).toBe(
    'The ID token is refused: aud: it is for "https://elsewhere.example.org"; ask GitLab for one for https://cache.example.org.',
  );
  expect(await refusal({ aud: undefined })).toContain('aud: it is for nothing');
  expect(await refusal({ exp: now - 300 })).toMatch(/exp: it expired 5 min \d s ago/);
  expect(await refusal({ exp: undefined })).toContain('exp: it has no time');
  expect(await refusal({ nbf: now + 300 })).toMatch(/nbf: it is valid only \d min/);
  expect(await refusal({ iss: 'https://evil.example.org' })).toBe(
    'The ID token is refused: iss: this server trusts no issuer "https://evil.example.org".',
  );
  const good = gitlab.idToken();
  const [head, , signature] = good.split('.');
  const forged = [head, encoded({ ...claimsIn(good), project_id: '99' }), signature].join('.');
  expect((await exchange(forged)).text).toContain('signature: it is not signed by a key');
  expect((await exchange('nonsense')).text).toContain('it is not a JWT');
});

test('a published key is no secret of HS256, and no signature at all is none', async () => {
  const jwks = await (await fetch(`${gitlab.url}/oauth/discovery/keys`)).text();
  const claims = claimsIn(gitlab.idToken());
  const confused = signJwt(claims, Buffer.from(jwks), { kid: 'key-0' });
  const none = `${encoded({ alg: 'none' })}.${encoded(claims)}.`;
  for (const token of [confused, none]) {
    expect((await exchange(token)).text).toContain('signature: ');
  }
});

test('keys are remembered, asked for again for an unknown kid once a minute, and outlive GitLab', async () => {
  await exchange(gitlab.idToken());
  await exchange(gitlab.idToken());
  expect(gitlab.keyRequests()).toBe(1);

  gitlab.rotateKey();
  expect((await exchange(gitlab.idToken())).status).toBe(401);
  ahead = 61_000;
  expect((await exchange(gitlab.idToken())).status).toBe(200);
  expect(gitlab.keyRequests()).toBe(2);

  gitlab.down = true;
  ahead = 3_000_000;
  expect((await exchange(gitlab.idToken())).status).toBe(200);
});

test('Cache-Control says how long, within reason', async () => {
  gitlab.cacheControl = 'public, max-age=300';
  await exchange(gitlab.idToken());
  ahead = 290_000;
  await exchange(gitlab.idToken());
  expect(gitlab.keyRequests()).toBe(1);
  ahead = 310_000;
  gitlab.cacheControl = 'no-store';
  await exchange(gitlab.idToken());
  await exchange(gitlab.idToken());
  expect(gitlab.keyRequests()).toBe(2);
});

test('without GitLab at the first token it is 503, and says what does not answer', async () => {
  gitlab.down = true;
  const reply = await exchange(gitlab.idToken());
  expect(reply.status).toBe(503);
  expect(reply.text).toContain(`read ${gitlab.url}/.well-known/openid-configuration`);
});

test('a token of an exchange is listed and can be revoked', async () => {
  const { id, access_token: token } = (await exchange(gitlab.idToken())).json() as {
    id: string;
    access_token: string;
  };
  const admin = server.server.adminToken;
  const listed = await server.request('GET', '/_flywheel/v1/tokens', { token: admin });
  expect(listed.json()).toMatchObject({
    tokens: [{ id, origin: 'exchange', created_by: `${gitlab.url} protected branches` }],
    next: null,
  });
  expect(listed.text).not.toContain(token);
  const revoked = await server.request('POST', '/_flywheel/v1/revocations', {
    token: admin,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ id }),
  });
  expect(revoked.status).toBe(200);
  const refused = await server.request('GET', '/team/nix-cache-info', { token });
  expect([refused.status, refused.json()]).toEqual([
    401,
    { code: 401, error: 'Unauthorized', message: 'The token has been revoked.' },
  ]);
});

test('without a policy there is no exchange', async () => {
  const plain = await startTestServer();
  const reply = await plain.request('POST', '/_flywheel/v1/exchange');
  await plain.close();
  expect([reply.status, reply.text.includes('it has no policy')]).toEqual([404, true]);
});

test('exchanges from one address are bounded', async () => {
  const bounded = await startTestServer({
    exchangePolicy: await policyFile(),
    rates: { exchangesPerSecond: 0.2 },
  });
  const ask = () =>
    bounded.request('POST', '/_flywheel/v1/exchange', {
      headers: { 'Content-Type': 'application/json' },
      body: '{"id_token":"x"}',
    });
  const replies = [await ask(), await ask(), await ask()];
  await bounded.close();
  expect(replies.map(({ status }) => status)).toEqual([401, 401, 429]);
  expect(Number(replies[2]?.headers['retry-after'])).toBeGreaterThan(1);
});
