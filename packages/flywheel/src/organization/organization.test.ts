import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../app.ts';
import { createTestContext } from '../test-context.ts';

const root = resolve(import.meta.dirname, '../../../..');
const cwd = mkdtempSync(join(tmpdir(), 'organization-'));
const EXAMPLES = join(root, 'config/examples');

beforeAll(() => {
  mkdirSync(join(cwd, 'config'));
  const example = readFileSync(join(EXAMPLES, 'gitlab-com-managed-s3.yaml'), 'utf8');
  writeFileSync(join(cwd, 'config/organization.yaml'), example);
});

afterAll(() => rmSync(cwd, { recursive: true }));

async function config(...words: readonly string[]) {
  const test = createTestContext({ root, cwd });
  const exitCode = await runCli(['config', ...words], test.context);
  return { exitCode, stdout: test.stdout(), stderr: test.stderr() };
}

function writeFile(name: string, text: string): string {
  writeFileSync(join(cwd, name), text);
  return name;
}

test.each([
  ['organization.example.yaml', 'production'],
  ['examples/gitlab-com-managed-s3.yaml', 'staging, production'],
  ['examples/self-managed-ha.yaml', 'production'],
  ['examples/single-node-k3s.yaml', 'k3s'],
])('the example %s is valid', async (name, environments) => {
  const file = join(root, 'config', name);

  expect(await config('validate', '--file', file)).toEqual({
    exitCode: 0,
    stdout: `${file} is valid. Environments: ${environments}.\n`,
    stderr: '',
  });
});

test('mistakes are shown with their places, and end with 1', async () => {
  const text = readFileSync(join(cwd, 'config/organization.yaml'), 'utf8');
  const file = writeFile('wrong.yaml', text.replace('downloads: redirect', 'downlods: redirect'));

  expect(await config('validate', '--file', file)).toEqual({
    exitCode: 1,
    stdout: `wrong.yaml:38:3: there is no key "downlods" in cache
   38 |   downlods: redirect # clients fetch from S3, not through the cluster
      |   ^^^^^^^^
        Did you mean "downloads"?
        Allowed: enabled, subdomain, caches, retention, keyAlgorithm, auditDays, downloads, replicas, resources, storage, database, backups.

wrong.yaml has 1 mistake.
`,
    stderr: '',
  });
  const { stdout } = await config('validate', '--file', file, '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    valid: false,
    file: 'wrong.yaml',
    issues: [{ file: 'wrong.yaml', line: 38, column: 3, key: 'cache.downlods' }],
  });
});

test('every other command refuses a file with mistakes, and shows them', async () => {
  const file = writeFile('broken.yaml', 'cache: [\n');

  for (const words of [['show'], ['explain', 'cache'], ['diff', 'production', 'staging']]) {
    const { exitCode, stderr } = await config(...words, '--file', file);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('Error: broken.yaml has 1 mistake\n  broken.yaml:2:1: ');
  }
});

test('without a file, the way to one', async () => {
  const { exitCode, stderr } = await runElsewhere('validate');

  expect(exitCode).toBe(4);
  expect(stderr).toContain(
    'Begin with the example: cp config/organization.example.yaml config/organization.yaml',
  );
  expect((await config('show', '--file', 'no.yaml')).stderr).toBe(
    'Error: there is no no.yaml\n  --file says which file to read.\n',
  );
});

async function runElsewhere(...words: readonly string[]) {
  const bare = mkdtempSync(join(tmpdir(), 'organization-'));
  const test = createTestContext({ root: bare, cwd: bare });
  const exitCode = await runCli(['config', ...words], test.context);
  rmSync(bare, { recursive: true });
  return { exitCode, stderr: test.stderr() };
}

test('show merges the layers, and what it shows is valid and shows the same', async () => {
  const { stdout } = await config('show', '--environment', 'staging');

  expect(stdout).toContain('\n  replicas:\n    min: 1\n    max: 2\n    cpuPercent: 70\n');
  expect(stdout).not.toContain('deploy:');
  expect(stdout).not.toContain('overrides');
  const again = await config('show', '--file', writeFile('shown.yaml', stdout));
  expect(again.stdout.replace(/^ {2}deploy:\n(?: {4}.*\n)+/m, '')).toBe(stdout);
});

test('show as JSON is what OpenTofu decodes', async () => {
  const { stdout } = await config('show', '--environment', 'production', '--json');

  const shown = JSON.parse(stdout) as { runners: object; environments: object };
  expect(Object.keys(shown.runners)).toEqual([
    'docker',
    'dind',
    'nix',
    'rocky8',
    'rocky9',
    'deploy',
  ]);
  expect(shown.environments).toEqual({
    production: {
      role: 'production',
      context: 'acme/infrastructure:production',
      domain: 'flywheel.example.org',
    },
  });
});

test('an environment that is not there', async () => {
  const { exitCode, stderr } = await config('show', '--environment', 'prod');

  expect(exitCode).toBe(4);
  expect(stderr).toBe(
    'Error: config/organization.yaml has no environment "prod"\n  There are: staging, production.\n',
  );
});

test('explain says what a key is, who says so, and what was said before', async () => {
  const key = 'runners.docker.scaling.max';
  const { stdout } = await config('explain', key, '--environment', 'staging');

  expect(stdout).toBe(`runners.docker.scaling.max
Most managers.

Type     whole number
Value    2
Default  5
Set by   environment, config/organization.yaml:24:35
Before   organization, config/organization.yaml:47:37: 20
`);
});

test('explain a default, a section and an item', async () => {
  expect((await config('explain', 'scaler.pollInterval')).stdout).toBe(`scaler.pollInterval
How often GitLab is asked.

Type     duration
Value    10s
Default  10s
Set by   nobody: it is the default
`);
  expect((await config('explain', 'cache.replicas')).stdout).toContain(
    'cache.replicas.min         Fewest\n',
  );
  const item = await config('explain', 'dashboard.access[acme].role', '--json');
  expect(JSON.parse(item.stdout)).toMatchObject({
    key: 'dashboard.access[1].role',
    value: 'viewer',
    said: [{ layer: 'organization', file: 'config/organization.yaml', value: 'viewer' }],
  });
});

test('explain a key that is not there', async () => {
  const { exitCode, stderr } = await config('explain', 'cache.replicas.mix');

  expect(exitCode).toBe(4);
  expect(stderr).toBe(`Error: there is no key cache.replicas.mix
  Did you mean cache.replicas.min?
  There are: min, max, cpuPercent.
`);
});

test('diff compares environments key by key', async () => {
  const { stdout } = await config('diff', 'production', 'staging');

  const lines = stdout.split('\n');
  expect(lines.slice(0, 6)).toEqual([
    '~ environments.NAME.role: "production" → "staging"  (config/organization.yaml:16:11)',
    '~ environments.NAME.context: "acme/infrastructure:production" → "acme/infrastructure:staging"  (config/organization.yaml:17:14)',
    '~ environments.NAME.domain: "flywheel.example.org" → "staging.flywheel.example.org"  (config/organization.yaml:18:13)',
    '~ cache.replicas.min: 2 → 1  (config/organization.yaml:21:26)',
    '~ cache.replicas.max: 10 → 2  (config/organization.yaml:21:34)',
    '~ cache.storage.bucket: "acme-nix-cache" → "acme-nix-cache-staging"  (config/organization.yaml:22:28)',
  ]);
  expect(lines).toContain('- runners.deploy.tags: ["deploy"]  (config/organization.yaml:52:11)');
});

test('diff compares files by what they mean', async () => {
  const text = readFileSync(join(cwd, 'config/organization.yaml'), 'utf8');
  const same = writeFile(
    'same.yaml',
    text.replace('downloads: redirect # clients', 'downloads: "redirect" #'),
  );
  const other = writeFile(
    'other.yaml',
    text.replace('{ group: acme, role: viewer }', '{ group: acme, role: operator }'),
  );

  expect((await config('diff', 'config/organization.yaml', same)).stdout).toBe(
    'config/organization.yaml and same.yaml say the same.\n',
  );
  expect((await config('diff', same, other)).stdout).toBe(
    '~ dashboard.access.acme.role: "viewer" → "operator"  (other.yaml:59:28)\n',
  );
});

test('migrate leaves a current file as it is', async () => {
  const before = readFileSync(join(cwd, 'config/organization.yaml'), 'utf8');

  expect(await config('migrate')).toEqual({
    exitCode: 0,
    stdout: 'config/organization.yaml is current: there is nothing to migrate.\n',
    stderr: '',
  });
  expect(readFileSync(join(cwd, 'config/organization.yaml'), 'utf8')).toBe(before);
});

test('schema prints what is in the checkout', async () => {
  const { stdout } = await config('schema');

  expect(stdout).toBe(readFileSync(join(root, 'config/organization.schema.json'), 'utf8'));
});
