import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { figure } from '@flywheel/testing';
import { rounded } from './bench.ts';
import { Report } from './report.ts';
import { contest, median } from './rounds.ts';

const root = resolve(import.meta.dirname, '../..');
const LAUNCHER = join(root, 'flywheel');
const ROUNDS = 15;
/** The start of a program that reads nothing, and twice as long for a schema, YAML and files. */
const MAX_TIMES_VERSION = 3;

const run = promisify(execFile);

/** The whole process, as a person or a hook waits for it, in milliseconds. */
async function timeOf(...words: readonly string[]): Promise<number> {
  const start = performance.now();
  await run(LAUNCHER, words, { cwd: root });
  return performance.now() - start;
}

test('config validate, beside a start of the same program', { timeout: 300_000 }, async () => {
  const validate = ['config', 'validate', '--file', 'config/examples/gitlab-com-managed-s3.yaml'];
  const { stdout } = await run(LAUNCHER, validate, { cwd: root });
  expect(stdout).toContain('is valid. Environments: staging, production.');

  const [ours, version] = await contest(
    ROUNDS,
    () => timeOf(...validate),
    () => timeOf('--version'),
    (mine, other) => median(mine, Number) / median(other, Number) <= MAX_TIMES_VERSION,
  );

  const [ms, versionMs] = [median(ours, Number), median(version, Number)];
  const times = ms / versionMs;
  const report = new Report('config-validate', { environments: 2 });
  report.add(
    'config validate',
    {
      ours: `${rounded(ms)} ms`,
      'flywheel --version': `${rounded(versionMs)} ms`,
      'times --version': rounded(times),
      remarks: 'whole process, two environments',
    },
    { ours, version },
  );
  figure('config validate, times --version', times, '×', { max: MAX_TIMES_VERSION });
  // The aim is 300 ms, which nobody waits for in a hook before each commit; of an idle machine.
  figure('config validate', ms, 'ms');
  await report.finish();
});
