import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkLayers } from './check-layers.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'flywheel-layers-'));
  await file('packages/nix/package.json', '{}');
  await file('packages/cache/package.json', '{}');
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

test('this repository keeps its layers', () => {
  expect(checkLayers(resolve(import.meta.dirname, '..'))).toEqual([]);
});

test('an import upwards is found, in every form', async () => {
  await file(
    'packages/nix/src/a.ts',
    "import { x } from '@flywheel/cache';\nexport type { Y } from '@flywheel/client';\n" +
      "const z = await import('@flywheel/chunking');",
  );
  expect(checkLayers(root)).toEqual([
    'packages/nix/src/a.ts: imports @flywheel/cache (layer 3), but nix is in layer 1',
    'packages/nix/src/a.ts: imports @flywheel/client (layer 2), but nix is in layer 1',
    'packages/nix/src/a.ts: imports @flywheel/chunking (layer 1), but nix is in layer 1',
  ]);
});

test('a dependency upwards is found in package.json', async () => {
  const dependencies = { '@flywheel/flywheel': 'workspace:*', '@flywheel/nix': 'workspace:*' };
  await file('packages/cache/package.json', JSON.stringify({ dependencies }));
  expect(checkLayers(root)).toEqual([
    'packages/cache/package.json: imports @flywheel/flywheel (layer 4), but cache is in layer 3',
  ]);
});

test('a relative path is no way around', async () => {
  await file('packages/cache/src/api/a.ts', "import { x } from '../../../nix/src/x.ts';");
  await file('packages/cache/src/api/b.ts', "import { y } from '../y.ts';");
  expect(checkLayers(root)).toEqual([
    'packages/cache/src/api/a.ts: imports ../../../nix/src/x.ts, outside of its package',
  ]);
});

test('pure packages touch no files, network or clock; comments may speak of them', async () => {
  await file(
    'packages/nix/src/a.ts',
    "import { readFile } from 'node:fs/promises';\nconst now = Date.now();\n" +
      '/* Date.now() */ // process.env\nconst date = new Date(seconds * 1000);',
  );
  expect(checkLayers(root)).toEqual([
    'packages/nix/src/a.ts: imports node:fs/promises, but nix is pure',
    'packages/nix/src/a.ts: reads the clock, but nix is pure',
  ]);
});

test('only main.ts touches the process; a context of that name is no process', async () => {
  await file('packages/cache/src/main.ts', 'serve(process.env, process.argv); process.exit(1);');
  await file('packages/cache/src/a.ts', "const home = process.env['HOME'];");
  await file('packages/cache/src/b.ts', "const home = context.process.env['HOME'];");
  expect(checkLayers(root)).toEqual([
    'packages/cache/src/a.ts: reads process.env; only main.ts may',
  ]);
});

test('the testing package is for tests', async () => {
  await file('packages/cache/src/a.ts', "import { figure } from '@flywheel/testing';");
  await file('packages/cache/src/a.test.ts', "import { figure } from '@flywheel/testing';");
  expect(checkLayers(root)).toEqual([
    'packages/cache/src/a.ts: imports @flywheel/testing, which is for tests only',
  ]);
});

test('a package without a layer is found', async () => {
  await file('packages/novel/package.json', '{}');
  expect(checkLayers(root)).toEqual([
    'packages/novel/package.json: the package has no layer; add it to scripts/check-layers.ts',
  ]);
});

async function file(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}
