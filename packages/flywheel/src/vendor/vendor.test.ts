import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../app.ts';
import { createTestContext } from '../test-context.ts';

const MANIFEST = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: a }\n';
const DIGEST = createHash('sha256').update(MANIFEST).digest('hex');

let cwd = '';
let cached = '';
let mirror = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'vendor-'));
  cached = join(cwd, 'cache/flywheel/vendor/a-1.0.0.yaml');
  mirror = join(cwd, 'mirror');
  mkdirSync(mirror);
  mkdirSync(join(cwd, 'config'));
  writeFileSync(join(mirror, 'a-1.0.0.yaml'), MANIFEST);
  lock(`    sha256: ${DIGEST}\n`);
});
afterEach(() => rmSync(cwd, { recursive: true }));

function lock(rest: string): void {
  writeFileSync(
    join(cwd, 'config/vendor.lock.yaml'),
    `# comment\nmanifests:\n  a:\n    # renovate: x\n    version: 1.0.0\n    url: https://127.0.0.1:1/{version}/a.yaml\n${rest}`,
  );
}

async function vendor(...words: readonly string[]) {
  const env = { XDG_CACHE_HOME: join(cwd, 'cache') };
  const { context, stdout, stderr } = createTestContext({ root: cwd, cwd, env });
  const exitCode = await runCli(['vendor', ...words], context);
  return { exitCode, stdout: stdout(), stderr: stderr() };
}

test('a pinned manifest is fetched from a mirror once, and kept', async () => {
  expect(await vendor('fetch', '--mirror', 'mirror')).toEqual({
    exitCode: 0,
    stdout: `a 1.0.0: ${cached}\n`,
    stderr: '',
  });
  expect(readFileSync(cached, 'utf8')).toBe(MANIFEST);

  // Without a mirror, only what is there can answer: the URL leads nowhere.
  const { exitCode, stdout } = await vendor('fetch', 'a', '--json');
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    manifests: [{ name: 'a', version: '1.0.0', file: cached, sha256: DIGEST }],
  });
});

test('another digest stops everything, names both, and keeps nothing', async () => {
  writeFileSync(join(mirror, 'a-1.0.0.yaml'), `${MANIFEST}# changed\n`);
  const changed = createHash('sha256').update(`${MANIFEST}# changed\n`).digest('hex');

  const { exitCode, stderr } = await vendor('fetch', '--mirror', mirror);

  expect(exitCode).toBe(10);
  expect(stderr).toContain('Error: a 1.0.0 is not what was reviewed\n');
  expect(stderr).toContain(`config/vendor.lock.yaml: ${DIGEST}\n`);
  expect(stderr).toContain(`${changed}\n`);
  expect(existsSync(cached)).toBe(false);
});

test('a file that was changed on this disk is never used', async () => {
  await vendor('fetch', '--mirror', mirror);
  writeFileSync(cached, 'kind: Other\n');

  expect((await vendor('list')).stdout).toContain('a     1.0.0    changed on this disk  ');
  expect((await vendor('fetch')).exitCode).toBe(12);
  await vendor('fetch', '--mirror', mirror);
  expect(readFileSync(cached, 'utf8')).toBe(MANIFEST);
});

test('without a digest nothing is taken, until pin has recorded one', async () => {
  lock('');
  const refused = await vendor('fetch', '--mirror', mirror);
  expect(refused.exitCode).toBe(9);
  expect(refused.stderr).toContain('config/vendor.lock.yaml has no digest of a 1.0.0\n');
  expect(refused.stderr).toContain('./flywheel vendor pin a\n');

  const { stdout } = await vendor('pin', 'a', '--mirror', mirror);

  expect(stdout).toBe(
    `a 1.0.0: ${DIGEST}\nRecorded in config/vendor.lock.yaml.\nRead what it is before you commit that: ${cached}\n`,
  );
  expect(readFileSync(join(cwd, 'config/vendor.lock.yaml'), 'utf8')).toBe(
    `# comment\nmanifests:\n  a:\n    # renovate: x\n    version: 1.0.0\n    url: https://127.0.0.1:1/{version}/a.yaml\n    sha256: ${DIGEST}\n`,
  );
  expect((await vendor('list')).stdout).toContain('a     1.0.0    fetched  ');
});

test('pin refuses what is no manifest', async () => {
  writeFileSync(join(mirror, 'a-1.0.0.yaml'), '<html>Sign in</html>');

  const { exitCode, stderr } = await vendor('pin', 'a', '--mirror', mirror);

  expect(exitCode).toBe(10);
  expect(stderr).toContain('what is published as a is no manifest');
});

test('a mirror over HTTP, and what it lacks', async () => {
  const http = createServer((request, response) => {
    response.statusCode = request.url === '/vendor/a-1.0.0.yaml' ? 200 : 404;
    response.end(MANIFEST);
  });
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const { port } = http.address() as AddressInfo;
  const base = `http://127.0.0.1:${port}`;

  const missing = await vendor('fetch', '--mirror', base);
  const found = await vendor('fetch', '--mirror', `${base}/vendor/`);
  http.close();

  expect(missing.exitCode).toBe(12);
  expect(missing.stderr).toContain(`cannot fetch ${base}/a-1.0.0.yaml: status 404`);
  expect(found.exitCode).toBe(0);
});

test('names and mistakes of the lock file', async () => {
  expect((await vendor('fetch', 'b')).stderr).toBe(
    'Error: config/vendor.lock.yaml has no manifest "b"\n  There are: a.\n',
  );
  lock('    sha256: short\n    other: 1\n');
  const { exitCode, stderr } = await vendor('list');
  expect(exitCode).toBe(3);
  expect(stderr).toContain('manifests.a.sha256: is no SHA-256: 64 lowercase hexadecimal digits');
});

test('what this project pins is well-formed', async () => {
  const root = resolve(import.meta.dirname, '../../../..');
  const { context, stdout } = createTestContext({ root, cwd: root, home: cwd });
  expect(await runCli(['vendor', 'list'], context)).toBe(0);
  expect(stdout()).toContain('cloudnative-pg       1.30.0   not fetched  f8bede43fe4e');
});
