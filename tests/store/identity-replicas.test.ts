import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isMissing, startCacheProcess, startPostgres } from '@flywheel/testing';
import type { CacheProcess, Postgres } from '@flywheel/testing';
import { createCache } from './attic-client.ts';

const found = await startPostgres();
const postgres = found as Postgres;
const folder = await mkdtemp(join(tmpdir(), 'flywheel-identity-'));

afterAll(async () => {
  if (!isMissing(found)) await postgres[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

if (isMissing(found)) test('PostgreSQL', ({ skip }) => skip(true, found.missing));

async function post(server: CacheProcess, path: string, body: unknown): Promise<Response> {
  return fetch(`${server.url}_flywheel/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function makePrivate(server: CacheProcess, cache: string): Promise<void> {
  await fetch(`${server.url}_api/v1/cache-config/${cache}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${server.adminToken}`, 'content-type': 'application/json' },
    body: '{"is_public":false}',
  });
}

describe.skipIf(isMissing(found))('two replicas with keys and database in common', () => {
  test('take each other’s tokens, and each other’s revocations within ten seconds', async () => {
    const url = join(folder, 'url');
    await writeFile(url, await postgres.createDatabase());
    const packs = join(folder, 'data');
    const keys = join(folder, 'token-keys');
    await mkdir(keys);
    await writeFile(join(keys, 'one.secret'), randomBytes(32).toString('base64'));
    const args = ['--database-file', url, '--token-keys', keys];
    await using one = await startCacheProcess({ dataDir: packs, args });
    await using two = await startCacheProcess({ dataDir: packs, args });
    await createCache(one, 'main');
    await makePrivate(one, 'main');
    const request = {
      subject: 'ci',
      validity_seconds: 600,
      grants: [{ cache: 'main', allow: ['pull'] }],
    };
    const created = (await (await post(one, 'tokens', request)).json()) as {
      token: string;
      id: string;
    };
    const read = async (server: CacheProcess): Promise<number> => {
      const headers = { authorization: `Bearer ${created.token}` };
      return (await fetch(`${server.url}main/nix-cache-info`, { headers })).status;
    };
    expect([await read(one), await read(two)]).toEqual([200, 200]);

    expect((await post(one, 'revocations', { id: created.id })).status).toBe(200);

    expect(await read(one)).toBe(401);
    await expect.poll(() => read(two), { timeout: 10_000, interval: 250 }).toBe(401);
    // What both have done is in one log.
    await createCache(two, 'second');
    const audit = await fetch(`${one.url}_flywheel/v1/audit`, {
      headers: { authorization: `Bearer ${one.adminToken}` },
    });
    const { entries } = (await audit.json()) as { entries: { action: string }[] };
    expect(entries.map(({ action }) => action)).toEqual([
      'create-cache',
      'revoke',
      'create-token',
      'configure-cache',
      'create-cache',
    ]);
  });
});
