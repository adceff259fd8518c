import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCacheServer } from '@flywheel/cache';
import type { CacheServer } from '@flywheel/cache';
import { runCli } from '../app.ts';
import { createTestContext } from '../test-context.ts';
import { pushSample } from './test-push.ts';

let data = '';
let server: CacheServer;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'flywheel-paths-'));
  server = await startCacheServer({ dataDir: data, listen: { host: '127.0.0.1', port: 0 } });
});
afterAll(async () => {
  await server.close();
  await rm(data, { recursive: true });
});

async function run(...argv: readonly string[]) {
  const { context, stdout, stderr } = createTestContext({ cwd: data });
  const code = await runCli(['cache', ...argv, '--data', data], context);
  return { code, stdout: stdout(), stderr: stderr() };
}

test('paths are listed, searched, shown and deleted', async () => {
  await run('create', 'team');
  expect((await run('paths', 'team')).stdout).toBe('No path in team.\n');
  const storePath = await pushSample(server, 'hello');
  const baseName = storePath.slice('/nix/store/'.length);

  const listed = await run('path', 'list', 'team', 'hel');
  expect(listed).toMatchObject({ code: 0, stderr: '' });
  expect(listed.stdout).toMatch(new RegExp(`admin +120 B +\\d+ B +${storePath}\\n$`));
  expect((await run('paths', 'team', 'zzz')).stdout).toBe('No path in team that matches "zzz".\n');
  const json = await run('paths', 'team', '--json', '--sort', 'name');
  expect(JSON.parse(json.stdout)).toMatchObject({
    cache: 'team',
    paths: [{ store_path: storePath, nar_size: 120, references: 0 }],
  });

  const shown = await run('path', 'show', 'team', baseName);
  expect(shown.stdout).toMatch(/NAR size +120 B\n[\s\S]*Signatures +team:/);
  const deleted = await run('path', 'delete', 'team', storePath);
  expect(deleted.stdout).toBe(`Deleted ${storePath} from team.\n`);
  expect((await run('path', 'delete', 'team', baseName)).code).toBe(4);
  expect((await run('path', 'delete', 'team', 'nonsense')).code).toBe(3);
});

test('upstream caches are added, listed and removed', async () => {
  await run('create', 'through');
  expect((await run('upstream', 'list', 'through')).stdout).toBe(
    'through has no upstream caches.\n',
  );
  const key = `one-1:${Buffer.alloc(32, 1).toString('base64')}`;
  const other = `two-1:${Buffer.alloc(32, 2).toString('base64')}`;
  await run('upstream', 'add', 'through', 'https://one.example.org', key);
  await run('upstream', 'add', 'through', 'https://two.example.org/cache/', key, other);
  const added = await run('upstream', 'add', 'through', 'https://one.example.org/', other);
  expect(added.stdout).toBe(
    'through now takes what it lacks from https://one.example.org/, https://two.example.org/cache/.\n',
  );
  const listed = await run('upstream', 'list', 'through', '--json');
  expect(JSON.parse(listed.stdout)).toMatchObject({
    upstreams: [
      { url: 'https://one.example.org/', public_keys: [other] },
      { url: 'https://two.example.org/cache/', public_keys: [key, other] },
    ],
  });
  expect((await run('upstream', 'remove', 'through', 'https://one.example.org')).code).toBe(0);
  expect((await run('upstream', 'remove', 'through', 'https://one.example.org')).code).toBe(4);
  expect((await run('upstream', 'add', 'through', 'nonsense', key)).code).toBe(3);
});
