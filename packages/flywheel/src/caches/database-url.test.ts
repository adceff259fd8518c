import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestContext } from '../test-context.ts';
import { databaseUrl } from './database-url.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flywheel-database-url-'));
  await writeFile(join(folder, 'url'), 'postgresql://me:secret@db/cache\n');
  await writeFile(join(folder, 'empty'), '\n');
});

afterAll(() => rm(folder, { recursive: true }));

test('a file goes before the environment, and without both it is SQLite', async () => {
  const env = { FLYWHEEL_DATABASE_URL: 'postgresql://db/environment' };
  const { context } = createTestContext({ env, cwd: folder });

  expect(await databaseUrl(context, 'url')).toBe('postgresql://me:secret@db/cache');
  expect(await databaseUrl(context)).toBe('postgresql://db/environment');
  expect(await databaseUrl(createTestContext().context)).toBeUndefined();
});

test('an empty or missing file is an error, not SQLite', async () => {
  const { context } = createTestContext({ cwd: folder });

  await expect(databaseUrl(context, 'empty')).rejects.toMatchObject({ code: 'invalid-input' });
  await expect(databaseUrl(context, 'nowhere')).rejects.toMatchObject({ code: 'not-found' });
});
