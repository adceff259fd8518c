import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isMissing, startCacheProcess, startPostgres } from '@flywheel/testing';
import type { Postgres } from '@flywheel/testing';
import { createCache, missingPaths, uploadPath, verifyPath } from './attic-client.ts';
import { generatePath, realisticBytes } from './sample-nars.ts';

const found = await startPostgres();
const postgres = found as Postgres;
const dataDir = await mkdtemp(join(tmpdir(), 'flywheel-postgres-'));

afterAll(async () => {
  if (!isMissing(found)) await postgres[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true, force: true });
});

if (isMissing(found)) test('PostgreSQL', ({ skip }) => skip(true, found.missing));

describe.skipIf(isMissing(found))('cache serve with PostgreSQL', () => {
  test('two servers on one database and folder have the same paths', async () => {
    const file = join(dataDir, 'database-url');
    await writeFile(file, `${await postgres.createDatabase()}\n`);
    const args = ['--database-file', file];
    const paths = await Promise.all(
      ['one', 'two'].map((name) =>
        generatePath(name, 300_000, function* contents() {
          yield* realisticBytes(200_000, 'shared');
          yield* realisticBytes(100_000, name);
        }),
      ),
    );
    const [one, two] = paths;
    await using first = await startCacheProcess({ dataDir, args });
    await using second = await startCacheProcess({ dataDir, args });
    await createCache(first, 'main');

    await uploadPath(first, 'main', one!);
    await uploadPath(second, 'main', two!);
    await first.kill();

    expect([...(await missingPaths(second, 'main', paths))]).toEqual([]);
    for (const path of paths) await verifyPath(second, 'main', path);
  });
});
