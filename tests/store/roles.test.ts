import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { isMissing, runChild, startCacheProcess, startPostgres } from '@flywheel/testing';
import type { Postgres, RunResult } from '@flywheel/testing';
import { createCache, destroyCache, missingPaths, status, uploadPath } from './attic-client.ts';
import { generatePath, realisticBytes } from './sample-nars.ts';

const LAUNCHER = fileURLToPath(new URL('../../flywheel', import.meta.url));

const found = await startPostgres();
const postgres = found as Postgres;
const dataDir = await mkdtemp(join(tmpdir(), 'flywheel-roles-'));

afterAll(async () => {
  if (!isMissing(found)) await postgres[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true, force: true });
});

/** A new database, the arguments that name it, and how many packs it knows. */
async function openDatabase(name: string) {
  const file = join(dataDir, name);
  const url = await postgres.createDatabase();
  await writeFile(file, url);
  const database = new URL(url).pathname.slice(1);
  return {
    args: ['--database-file', file],
    packs: () => postgres.sql('select count(*) from pack', database),
  };
}

function serve(args: readonly string[]): Promise<RunResult> {
  const command = [LAUNCHER, 'cache', 'serve', '--data', dataDir, '--listen', '127.0.0.1:0'];
  const env = { HOME: dataDir, PATH: '/usr/bin:/bin' };
  return runChild([...command, ...args], { env, timeoutMs: 30_000 });
}

test('a server on SQLite does everything or nothing', async () => {
  for (const role of ['api', 'gc', 'migrate']) {
    const result = await serve(['--role', role]);
    expect([role, result.status, result.stderr]).toEqual([
      role,
      3,
      expect.stringContaining('give the URL of a PostgreSQL database, or leave out --role'),
    ]);
  }
});

if (isMissing(found)) test('PostgreSQL', ({ skip }) => skip(true, found.missing));

describe.skipIf(isMissing(found))('roles', () => {
  test('replicas wait for the one that migrates; that one ends', async () => {
    const { args } = await openDatabase('waiting');
    const waiting = startCacheProcess({ dataDir, args: [...args, '--role', 'api'] });
    const migrated = await serve([...args, '--role', 'migrate', '--json']);
    expect([migrated.status, migrated.stderr]).toEqual([0, '']);
    expect(JSON.parse(migrated.stdout)).toEqual({ schemaVersion: expect.any(Number) });
    await using api = await waiting;
    await createCache(api, 'main');
  });

  test('api answers and leaves garbage alone; gc reclaims and answers no client', async () => {
    const { args, packs } = await openDatabase('apart');
    expect((await serve([...args, '--role', 'migrate'])).status).toBe(0);
    await using api = await startCacheProcess({ dataDir, args: [...args, '--role', 'api'] });
    await createCache(api, 'main');
    const path = await generatePath('p', 300_000, () => realisticBytes(300_000, 'p'));
    await uploadPath(api, 'main', path);
    expect((await missingPaths(api, 'main', [path])).size).toBe(0);
    await destroyCache(api, 'main');
    {
      // What reclaims at all does so when it starts.
      await using second = await startCacheProcess({ dataDir, args: [...args, '--role', 'api'] });
      expect(await status(second)).toMatchObject({ caches: 0, packs: 1 });
    }

    await using gc = await startCacheProcess({ dataDir, args: [...args, '--role', 'gc'] });

    await expect.poll(packs, { timeout: 20_000 }).toBe('0');
    const answers = await Promise.all(
      ['healthz', 'readyz', 'metrics', '', 'main/nix-cache-info'].map((path) =>
        fetch(`${gc.url}${path}`),
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 404, 404]);
  });
});
