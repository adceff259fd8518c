import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findStack, orderStacks } from './order.ts';
import { manifestsFor, readStacks } from './stack.ts';
import type { Stack } from './stack.ts';
import { digestsOf, readSources, writeFiles } from './working-copy.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'stacks-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}

function stack(name: string, ...after: readonly string[]): Stack {
  return { name, after, folder: name, description: name, manifests: {} };
}

const names = (stacks: readonly Stack[]): readonly string[] => stacks.map(({ name }) => name);

test('a stack comes behind those that it needs, else they go by name', () => {
  const stacks = [
    stack('runners', 'attic'),
    stack('attic', 'operators'),
    stack('b'),
    stack('operators'),
  ];
  expect(names(orderStacks(stacks))).toEqual(['operators', 'attic', 'b', 'runners']);
});

test('a circle and a missing stack are named', () => {
  expect(() => orderStacks([stack('a', 'b'), stack('b', 'c'), stack('c', 'a')])).toThrow(
    'stacks wait for each other: a → b → c → a',
  );
  expect(() => orderStacks([stack('a', 'x')])).toThrow(
    'stack a comes after "x", which is not there',
  );
  expect(() => findStack([stack('a')], 'x')).toThrow('there is no stack "x"');
});

test('the stacks of this checkout are in order', async () => {
  const stacks = await readStacks(resolve(import.meta.dirname, '../../../../tofu/stacks'));
  expect(names(orderStacks(stacks))).toEqual(['operators', 'attic']);
});

test('an unknown key of a declaration is an error', async () => {
  write('a/stack.yaml', 'description: x\nbefore: [b]\n');
  await expect(readStacks(folder)).rejects.toMatchObject({
    code: 'invalid-input',
    details: { hint: expect.stringContaining('"before"') as string },
  });
});

test('a folder without stacks is none', async () => {
  await expect(readStacks(folder)).rejects.toThrow('there are no stacks in');
});

test('manifests are those that the organization wants', () => {
  const operators = {
    ...stack('operators'),
    manifests: {
      always: {},
      database: { 'cache.enabled': true, 'cache.database.engine': 'cnpg' },
    },
  };
  const wants = (engine: string) => ({ cache: { enabled: true, database: { engine } } });
  expect(manifestsFor(operators, wants('cnpg'))).toEqual(['always', 'database']);
  expect(manifestsFor(operators, wants('external'))).toEqual(['always']);
  expect(manifestsFor(operators, {})).toEqual(['always']);
});

test('sources are a stack with the modules it uses, and nothing else', async () => {
  write('stacks/a/main.tf', 'module "x" {\n  source = "../../modules/x"\n}\n');
  write('stacks/a/.terraform/modules.json', '{}');
  write('stacks/a/.terraform.lock.hcl', '# providers\n');
  write('stacks/a/stack.yaml', 'description: a\n');
  write('modules/x/main.tf', 'module "y" {\n  source = "../y"\n}\n');
  write('modules/x/tests/x.tftest.hcl', '');
  write('modules/x/setup.sh', 'true\n');
  write('modules/y/main.tf', '');
  write('modules/unused/main.tf', '');

  const sources = await readSources(folder, { ...stack('a'), folder: join(folder, 'stacks/a') });

  expect([...sources.keys()]).toEqual([
    'modules/x/main.tf',
    'modules/x/setup.sh',
    'modules/y/main.tf',
    'stacks/a/.terraform.lock.hcl',
    'stacks/a/main.tf',
  ]);
  expect(digestsOf(sources)['modules/y/main.tf']).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  );
});

test('a copy loses what its sources have lost, and keeps what is tofu’s own', async () => {
  write('old.tf', 'old');
  write('stacks/a/.terraform/providers/x', 'x');
  write('stacks/a/.terraform.lock.hcl', 'lock');

  await writeFiles(folder, new Map([['stacks/a/main.tf', Buffer.from('new')]]));

  const kept = await readSources(folder, { ...stack('a'), folder: join(folder, 'stacks/a') });
  expect([...kept.keys()]).toEqual(['stacks/a/.terraform.lock.hcl', 'stacks/a/main.tf']);
  await expect(readSources(folder, { ...stack('a'), folder })).resolves.not.toHaveProperty(
    'old.tf',
  );
});
