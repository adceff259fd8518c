import { expect, test } from 'vitest';
import { runCli } from './app.ts';
import { createTestContext } from './test-context.ts';

test('without a command it explains itself and ends well', async () => {
  const { context, stdout, stderr } = createTestContext();
  expect(await runCli([], context)).toBe(0);
  expect(stdout()).toContain('EXAMPLES');
  expect(stdout()).toContain('./flywheel doctor');
  expect(stderr()).toBe('');
});

test('the version is one line', async () => {
  const { context, stdout } = createTestContext();
  expect(await runCli(['--version'], context)).toBe(0);
  expect(stdout()).toBe('0.1.0\n');
});

test('an unknown command is a usage error, with the nearest one and where to look', async () => {
  const { context, stdout, stderr } = createTestContext();
  expect(await runCli(['doctr'], context)).toBe(2);
  expect(stdout()).toBe('');
  expect(stderr()).toBe('Unknown command "doctr", did you mean "doctor"?\nSee ./flywheel --help\n');
});

test('an unknown flag points to the help of its command', async () => {
  const { context, stderr } = createTestContext();
  expect(await runCli(['doctor', '--prot', '1'], context)).toBe(2);
  expect(stderr()).toBe(
    'No flag registered for --prot, did you mean --port?\nSee ./flywheel doctor --help\n',
  );
});

test('a value that a flag cannot take is named, without a stack', async () => {
  const { context, stderr } = createTestContext();
  expect(await runCli(['doctor', '--port', '99999'], context)).toBe(2);
  expect(stderr()).toBe(
    '--port: "99999" is no port; write a number up to 65535\nSee ./flywheel doctor --help\n',
  );
});

test('an error of a command is explained on stderr, its code is the exit code', async () => {
  const { context, stdout, stderr } = createTestContext({ root: '/nonexistent' });
  expect(await runCli(['test'], context)).toBe(4);
  expect(stdout()).toBe('');
  expect(stderr()).toBe(
    'Error: there are no tests in /nonexistent\n' +
      '  The tests come with the source: run this in a git checkout.\n',
  );
});

test('with --json the error is a document on stdout as well', async () => {
  const { context, stdout } = createTestContext({ root: '/nonexistent' });
  expect(await runCli(['test', '--json'], context)).toBe(4);
  expect(JSON.parse(stdout())).toEqual({
    error: {
      code: 'not-found',
      message: 'there are no tests in /nonexistent',
      hint: 'The tests come with the source: run this in a git checkout.',
    },
  });
});

test('what follows -- is not read as a flag of ours', async () => {
  const { context, stdout } = createTestContext({ root: '/nonexistent' });
  expect(await runCli(['test', '--', '--json'], context)).toBe(4);
  expect(stdout()).toBe('');
});
