import { cp, mkdir, readFile, readlink } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NixStore } from '@flywheel/testing';
import { describeEachNix } from './each-nix.ts';

const CHECKOUT = resolve(import.meta.dirname, '../..');
const PARTS = [
  'LICENSE',
  'README.md',
  'flake.nix',
  'flywheel',
  'nix',
  'package.json',
  'packages',
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
];

describeEachNix('the flake', (nix) => {
  let store: NixStore;
  let checkout: string;
  beforeAll(async () => {
    store = await nix.openStore();
    checkout = join(store.folder, 'checkout');
    await mkdir(checkout);
    for (const part of PARTS) {
      await cp(join(CHECKOUT, part), join(checkout, part), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (path) => basename(path) !== 'node_modules',
      });
    }
  });
  afterAll(() => store?.[Symbol.asyncDispose]());

  const build = async (): Promise<string> => {
    const json = await store.mustRun(['nix', 'build', '--no-link', '--json', `path:${checkout}`]);
    const [built] = JSON.parse(json) as { outputs: { out: string } }[];
    return built?.outputs.out ?? '';
  };

  test('builds bin/flywheel over the sources of this checkout, and nothing else', async () => {
    const out = await build();
    const closure = (await store.mustRun(['nix-store', '--query', '--requisites', out])).split(
      '\n',
    );
    const { version } = JSON.parse(await readFile(join(CHECKOUT, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(closure.map((path) => path.slice('/nix/store/'.length + 33)).sort()).toEqual([
      `flywheel-${version}`,
      `flywheel-source-${version}`,
      'manifest.nix',
    ]);
    const source = closure.find((path) => path.includes('-flywheel-source-')) ?? '';
    expect(await readlink(join(store.realPath(out), 'bin'))).toBe(`${source}/nix/profile/bin`);
    const profile = join(store.realPath(source), 'nix/profile/bin');
    const program = resolve(profile, await readlink(join(profile, 'flywheel')));
    expect(await readFile(program)).toEqual(await readFile(join(CHECKOUT, 'flywheel')));
  });

  test('an edit of the docs or of a test changes nothing, one of a source does', async () => {
    const out = await build();
    const write = async (path: string): Promise<string> => {
      await cp(join(checkout, 'LICENSE'), join(checkout, path));
      return await build();
    };
    expect(await write('README.md')).toBe(out);
    expect(await write('packages/base/src/new.test.ts')).toBe(out);
    expect(await write('packages/base/src/new.ts')).not.toBe(out);
  });
});
