import { expect, test } from 'vitest';
import { createTestContext } from '../test-context.ts';
import { startProgress } from './progress.ts';

const MIB = 1024 ** 2;

test('on a terminal one line is redrawn, with bytes, percent, rate and time left', () => {
  const { context, stderr, pass } = createTestContext({ tty: true });
  const progress = startProgress(context, { label: 'Pushing', mode: 'bar', total: 10 * MIB });
  pass(1000);
  progress.advance(2.5 * MIB);
  const [, , last = ''] = stderr().split('\r\u001B[2K');
  expect(last).toBe(
    'Pushing  ██████░░░░░░░░░░░░░░░░   25 %  2.5 MiB / 10.0 MiB  2.5 MiB/s  3 s left',
  );
});

test('a narrow terminal gets no bar, and no line that wraps', () => {
  const { context, stderr, pass } = createTestContext({ tty: true });
  const narrow = { ...context.process.stderr, columns: 30 };
  const process = { ...context.process, stderr: narrow };
  const options = { label: 'Pushing', mode: 'bar', total: 10 * MIB } as const;
  const progress = startProgress({ ...context, process }, options);
  pass(1000);
  progress.advance(2.5 * MIB);
  expect(stderr().split('\r\u001B[2K').at(-1)).toBe('Pushing   25 %  2.5 MiB / 10.');
});

test('it draws at most ten times a second', () => {
  const { context, stderr, pass } = createTestContext({ tty: true });
  const progress = startProgress(context, { label: 'Pushing', mode: 'bar', total: 1000 });
  for (let step = 0; step < 1000; step += 1) {
    pass(1);
    progress.advance(1);
  }
  expect(stderr().split('\r\u001B[2K').length - 1).toBe(11);
});

test('the cursor comes back when the step is done, fails, or the process ends', () => {
  const done = createTestContext({ tty: true });
  startProgress(done.context, { label: 'x', mode: 'bar' }).finish();
  expect(done.stderr()).toContain('\u001B[?25h');
  expect(done.context.atExit.size).toBe(0);

  const failed = createTestContext({ tty: true });
  expect(() => {
    using _step = startProgress(failed.context, { label: 'x', mode: 'bar' });
    throw new Error('the network is gone');
  }).toThrow('the network is gone');
  expect(failed.stderr().endsWith('\u001B[?25h')).toBe(true);

  const killed = createTestContext({ tty: true });
  startProgress(killed.context, { label: 'x', mode: 'bar' });
  for (const restore of killed.context.atExit) restore();
  expect(killed.stderr().endsWith('\u001B[?25h')).toBe(true);
});

test('elsewhere a step is one line, written when it is done', () => {
  const { context, stderr, pass } = createTestContext();
  const progress = startProgress(context, { label: 'Pushing', mode: 'lines', total: 4 * MIB });
  pass(2000);
  progress.advance(4 * MIB);
  expect(stderr()).toBe('');
  progress.finish();
  progress.finish();
  expect(stderr()).toBe('✔ Pushing: 4.0 MiB in 2.0 s (2.0 MiB/s)\n');
});

test('a summary of its own replaces the amount', () => {
  const { context, stderr } = createTestContext();
  startProgress(context, { label: 'Pulling', mode: 'lines' }).finish('nothing was missing');
  expect(stderr()).toBe('✔ Pulling: nothing was missing\n');
});

test('a step that fails says so, once', () => {
  const { context, stderr } = createTestContext();
  const progress = startProgress(context, { label: 'Pushing', mode: 'lines', total: 1 });
  progress.fail('1 path was refused');
  progress.finish();
  expect(stderr()).toBe('✘ Pushing: 1 path was refused\n');
});

test('with --json it says nothing', () => {
  const { context, stderr } = createTestContext({ tty: true });
  const progress = startProgress(context, { label: 'Pushing', mode: 'silent', total: 1 });
  progress.advance(1);
  progress.fail('nothing');
  progress.finish();
  expect(stderr()).toBe('');
});
