import { FlywheelError } from '@flywheel/base';
import { expect, test } from 'vitest';
import { Interrupted } from './context.ts';
import { exitCodeOf, exitCodeOfStricli, explainError } from './exit.ts';

test('each code has its exit code', () => {
  expect(exitCodeOf(new FlywheelError('invalid-input', 'x'))).toBe(3);
  expect(exitCodeOf(new FlywheelError('no-space', 'x'))).toBe(11);
  expect(exitCodeOf(new FlywheelError('internal', 'x'))).toBe(70);
  expect(exitCodeOf(new TypeError('x is not a function'))).toBe(70);
});

test('errors of the operating system keep their meaning', () => {
  expect(exitCodeOf(Object.assign(new Error('full'), { code: 'ENOSPC' }))).toBe(11);
  expect(exitCodeOf(Object.assign(new Error('nobody'), { code: 'ECONNREFUSED' }))).toBe(12);
});

test('an interruption ends as the shell expects, also as the cause of another error', () => {
  expect(exitCodeOf(new Interrupted('SIGINT'))).toBe(130);
  expect(exitCodeOf(new Error('aborted', { cause: new Interrupted('SIGTERM') }))).toBe(143);
  expect(explainError(new Interrupted('SIGINT'), false)).toBe('Interrupted.');
});

test("the command line parser's own codes become usage errors or bugs", () => {
  expect(exitCodeOfStricli(-5)).toBe(2);
  expect(exitCodeOfStricli(-4)).toBe(2);
  expect(exitCodeOfStricli(-2)).toBe(70);
  expect(exitCodeOfStricli(1)).toBe(1);
});

test('the hint of the error wins over that of its code', () => {
  const bare = new FlywheelError('no-space', 'the disk of /data is full');
  expect(explainError(bare, false)).toBe(
    'Error: the disk of /data is full\n  Free some space on that disk, and try again.',
  );
  const hinted = new FlywheelError('no-space', 'the disk of /data is full', {
    details: { hint: 'Delete /data/old.' },
  });
  expect(explainError(hinted, false)).toBe('Error: the disk of /data is full\n  Delete /data/old.');
});

test('a bug says so, and shows its stack only when asked', () => {
  const bug = new TypeError('x is not a function', { cause: new Error('the first one') });
  expect(explainError(bug, false)).toBe(
    'Error: x is not a function\n' +
      '  This is a bug in flywheel, please report it.\n' +
      '  FLYWHEEL_DEBUG=1 shows where it happened.',
  );
  expect(explainError(bug, true)).toContain('exit.test.ts');
  expect(explainError(bug, true)).toContain('the first one');
});
