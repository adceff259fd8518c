import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CliContext } from '../context.ts';
import { createTestContext } from '../test-context.ts';
import { buildFlake, canBuildFlake } from './flake.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'flywheel-flake-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

/** A context whose `nix` is this shell script. */
async function contextWith(script: string): Promise<CliContext> {
  await mkdir(join(root, 'bin'), { recursive: true });
  await writeFile(join(root, 'bin', 'nix'), `#!/bin/sh\n${script}\n`);
  await chmod(join(root, 'bin', 'nix'), 0o755);
  await writeFile(join(root, 'flake.nix'), '{ }\n');
  await mkdir(join(root, '.git'), { recursive: true });
  return createTestContext({ root, env: { PATH: join(root, 'bin') } }).context;
}

test('it takes a flake in a git checkout, and Nix', async () => {
  const context = await contextWith('exit 0');
  expect(canBuildFlake(context)).toBe(true);
  expect(canBuildFlake(createTestContext({ root, env: { PATH: '/nowhere' } }).context)).toBe(false);
  await rm(join(root, '.git'), { recursive: true });
  expect(canBuildFlake(context)).toBe(false);
  await mkdir(join(root, '.git'));
  await rm(join(root, 'flake.nix'));
  expect(canBuildFlake(context)).toBe(false);
});

test('the outputs are those that nix build names', async () => {
  const built =
    '[{"drvPath":"/nix/store/x.drv","outputs":{"out":"/nix/store/a","man":"/nix/store/b"}}]';
  const context = await contextWith(`printf '%s' '${built}'`);
  expect(await buildFlake(context)).toEqual({ storePaths: ['/nix/store/a', '/nix/store/b'] });
});

test('a build that fails is left out, with the reason that Nix gives last', async () => {
  const context = await contextWith(
    `printf 'warning: dirty\\nerror: something\\n       error: attribute missing\\n' >&2; exit 1`,
  );
  expect(await buildFlake(context)).toEqual({ skipped: 'attribute missing' });
});

test('an answer that is none is no crash', async () => {
  expect(await buildFlake(await contextWith('echo done'))).toEqual({
    skipped: 'nix build does not tell its outputs',
  });
});
