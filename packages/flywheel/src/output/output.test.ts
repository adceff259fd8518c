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
