import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runChild, tflint } from '@flywheel/testing';
import { MODULES } from './module-folders.ts';

const TOFU = dirname(MODULES);
const FOLDERS = globSync('{modules,stacks}/*/versions.tf', { cwd: TOFU }).map(dirname).toSorted();

const program = await tflint();

describe('tflint', () => {
  if (typeof program === 'string') declare(program);
  else test('all of it', ({ skip }) => skip(program.missing));
});

function declare(found: string): void {
  test.each(FOLDERS)('finds nothing in %s', async (folder) => {
    expect(await lint(found, folder)).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('finds what it is there for', async () => {
    const { status, stdout } = await lint(found, join('..', 'tests', 'tofu', 'unclean'));
    expect(status).toBe(2);
    expect(stdout).toContain('variable "unused" is declared but not used');
  });
}

async function lint(found: string, folder: string) {
  const config = `--config=${join(TOFU, '.tflint.hcl')}`;
  const place = `--chdir=${join(TOFU, folder)}`;
  const env = { PATH: '/usr/bin:/bin', NO_COLOR: '1' };
  return runChild([found, config, place, '--format=compact'], { env });
}
