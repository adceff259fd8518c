import { expect, test } from 'vitest';
import { createTestContext } from '../test-context.ts';
import { createOutput, formatTable } from './index.ts';

test('people get lines, scripts get one document, never both', () => {
  const forPeople = createTestContext();
  const lines = createOutput(forPeople.context, {});
  lines.print('3 paths');
  lines.result({ paths: 3 });
  expect(forPeople.stdout()).toBe('3 paths\n');

  const forScripts = createTestContext();
  const document = createOutput(forScripts.context, { json: true });
  document.print('3 paths');
  document.result({ paths: 3 });
  expect(JSON.parse(forScripts.stdout())).toEqual({ paths: 3 });
});

test('a note does not end up within a bar', () => {
  const { context, stderr } = createTestContext({ tty: true });
  const output = createOutput(context, {});
  output.note('before');
  using _step = output.step('Pushing');
  output.note('meanwhile');
  const [before, , drawn, meanwhile] = stderr().split(/(?<=\n|25l)|(?=\r)/);
  expect([before, drawn, meanwhile]).toEqual([
    'before\n',
    '\r\u001B[2KPushing  0 B',
    '\r\u001B[2Kmeanwhile\n',
  ]);
});

test('colours are for terminals that show them', () => {
  const { context } = createTestContext();
  expect(createOutput(context, {}).style('red', 'no')).toBe('no');
  const stdout = { ...context.process.stdout, getColorDepth: () => 8 };
  const coloured = { ...context, process: { ...context.process, stdout } };
  expect(createOutput(coloured, {}).style('red', 'no')).toBe('\u001B[31mno\u001B[39m');
});

test('the columns of a table are aligned, whatever their colours', () => {
  const rows = [
    ['NAME', 'SIZE'],
    ['\u001B[31mmain\u001B[39m', '1.5 GiB'],
    ['development', '3 B'],
  ];
  expect(formatTable(rows)).toBe(
    'NAME         SIZE\n\u001B[31mmain\u001B[39m         1.5 GiB\ndevelopment  3 B',
  );
});
