import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import type { ErrorCode } from '@flywheel/base';
import { loadOrganization } from '@flywheel/organization';
import { expect, test } from 'vitest';
import { exitCodeOf } from '../../packages/flywheel/src/exit.ts';
import { checkDocs } from '../../scripts/check-docs.ts';
import { LAYERS } from '../../scripts/check-layers.ts';
import { readCliReference, renderCliReference } from '../../scripts/cli-reference.ts';
import { readConfigReference, renderConfigReference } from '../../scripts/config-reference.ts';
import { readCommandTree } from '../../scripts/command-tree.ts';
import { moduleReadmes } from '../../scripts/tofu-readmes.ts';

const root = resolve(import.meta.dirname, '../..');

test('the documentation names only what exists', async () => {
  expect(checkDocs(root, await readCommandTree())).toEqual([]);
});

test('the table of exit codes is that of the code', () => {
  const page = readFileSync(join(root, 'docs/reference/exit-codes.md'), 'utf8');
  const rows = [...page.matchAll(/^\|\s*(\d+) \| `([a-z-]+)`/gm)];
  expect(rows).toHaveLength(12);
  for (const [, exitCode, code] of rows) {
    const error = new FlywheelError(code as ErrorCode, 'x');
    expect(`${code} ${exitCodeOf(error)}`).toBe(`${code} ${exitCode}`);
  }
});

test('the command line reference is what the commands say of themselves', async () => {
  const hint = 'write it anew with scripts/cli-reference.ts';
  expect(readCliReference(), hint).toBe(await renderCliReference());
});

test('the pages of the OpenTofu modules list what these declare', async () => {
  const hint = 'write them anew with scripts/tofu-readmes.ts';
  for (const { path, actual, expected } of await moduleReadmes()) {
    expect(actual, `${path}: ${hint}`).toBe(expected);
  }
});

test('the schema and the reference of organization.yaml are what the code says', async () => {
  const hint = 'write them anew with scripts/config-reference.ts';
  for (const [path, text] of await renderConfigReference()) {
    expect(readConfigReference(path), `${path}: ${hint}`).toBe(text);
  }
});

test('the example of layers is valid over the example of an organization', () => {
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const page = read('docs/configuration/organization.md');
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const { issues, environments } = loadOrganization([
    { file: 'upstream', layer: 'upstream', text: read('packages/organization/src/upstream.yaml') },
    { file: 'base', layer: 'organization', text: read('config/organization.example.yaml') },
    { file: 'page', layer: 'organization', text: example },
  ]);

  expect(issues).toEqual([]);
  const { organization } = environments.get('staging') ?? {};
  expect(Object.keys(organization?.runners ?? {})).toEqual(['docker']);
  expect(organization?.networkPolicy.egress).toEqual([]);
  expect(organization?.cache.retention).toBe('90d');
});

test('the table of layers is that of the check', () => {
  const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const rows = [...page.matchAll(/^\|\s+(\d) \| (.+) \|$/gm)].flatMap(([, layer, packages = '']) =>
    [...packages.matchAll(/`(\w+)`/g)].map(([, name]) => [name, Number(layer)]),
  );
  expect(Object.fromEntries(rows)).toEqual(LAYERS);
});
