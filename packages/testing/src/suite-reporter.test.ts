import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closingLine } from './suite-result.ts';
import type { SuiteResult } from './suite-result.ts';

const PACKAGE = dirname(import.meta.dirname);
const RUNNER = pathToFileURL(join(import.meta.dirname, 'runner.ts')).href;

// A checkout of its own, with a suite of tests that fail in every way they can.
const TESTS: Readonly<Record<string, string>> = {
  'vitest.config.ts': `export default { test: { projects: [
    { test: { name: 'sample', include: ['tests/sample/*.test.ts'] } } ] } };`,
  'tests/sample/figures.test.ts': `
    import { expect, test } from 'vitest';
    import { figure } from '@flywheel/testing';
    test('measures', () => {
      figure('slow', 12, 'ms', { max: 10 });
      figure('fast', 3, 'ms', { max: 10 });
      figure('plain', 5, 'paths');
      expect(1).toBe(1);
    });`,
  'tests/sample/skips.test.ts': `
    import { test } from 'vitest';
    test('explained', (context) => context.skip('nix is not installed'));
    test.skip('unexplained', () => {});
    test('passes', () => {});`,
  'tests/sample/setup.test.ts': `
    import { beforeAll, describe, test } from 'vitest';
    describe('with a server', () => {
      beforeAll(() => { throw new Error('no server'); });
      test('asks it', () => {});
    });`,
  'tests/sample/broken.test.ts': `throw new Error('does not load');`,
};

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flywheel-runner-'));
  for (const [path, text] of Object.entries(TESTS)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  await mkdir(join(root, 'node_modules', '@flywheel'), { recursive: true });
  await symlink(PACKAGE, join(root, 'node_modules', '@flywheel', 'testing'));
  await symlink(join(PACKAGE, 'node_modules', 'vitest'), join(root, 'node_modules', 'vitest'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

test('every way to fail counts, and what was measured is kept', async () => {
  const { result, stdout } = await run([]);
  expect(result.passed).toBe(1);
  // A missed target, a skip without a reason, a setup that throws, a file that does not load.
  expect(result.failed).toBe(4);
  expect(result.skipped).toEqual([
    { name: 'tests/sample/setup.test.ts > with a server > asks it', why: 'its setup failed' },
    { name: 'tests/sample/skips.test.ts > explained', why: 'nix is not installed' },
  ]);
  expect(result.figures).toEqual({
    slow: { value: 12, unit: 'ms', target: { max: 10 }, ok: false },
    fast: { value: 3, unit: 'ms', target: { max: 10 }, ok: true },
    plain: { value: 5, unit: 'paths', target: null, ok: true },
  });
  expect(stdout).toContain('slow: 12 ms, the target is at most 10');
  expect(stdout).toContain('✔ fast: 3 ms (target: at most 10)');
});

test('who chooses some tests need not explain the others', async () => {
  const { result } = await run(['tests/sample/skips', '-t', 'passes']);
  expect(closingLine([result])).toBe('1 passed, 0 failed, 0 skipped');
});

test('the closing line sums suites up', () => {
  const suite = { suite: 'a', passed: 3, failed: 0, skipped: [], figures: {} };
  const other = { ...suite, suite: 'b', failed: 1, skipped: [{ name: 'x', why: 'y' }] };
  expect(closingLine([suite, other])).toBe('6 passed, 1 failed, 1 skipped');
});

/** In a process of its own: a run of vitest within a worker of vitest would share its state. */
async function run(
  vitestArguments: readonly string[],
): Promise<{ result: SuiteResult; stdout: string }> {
  const script = `
    import { writeFileSync } from 'node:fs';
    import { runSuite } from '${RUNNER}';
    const result = await runSuite({ name: 'sample', needs: '', include: [], embedded: true, serial: true }, {
      root: process.cwd(), vitestArguments: ${JSON.stringify(vitestArguments)},
      stdout: process.stdout, signal: new AbortController().signal,
    });
    writeFileSync('result.json', JSON.stringify(result));
    process.exitCode = 0;`;
  const env = { PATH: process.env['PATH'], NO_COLOR: '1' };
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', script],
    { cwd: root, env },
  );
  const result = JSON.parse(await readFile(join(root, 'result.json'), 'utf8')) as SuiteResult;
  const skipped = result.skipped.toSorted((a, b) => a.name.localeCompare(b.name));
  return { result: { ...result, skipped }, stdout: stdout + stderr };
}
