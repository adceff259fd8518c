import { expect, test } from 'vitest';
import { withBenchTable } from './bench-table.ts';

const machine = { cpus: 2, model: 'Some CPU', node: 'v26.10.0' };
const date = '2026-11-23T04:00:00.000Z';

test('figures go between the markers, with their targets', () => {
  const figures = {
    'pull, times nginx': { value: 1.2345, unit: '×', target: { max: 1.5 }, ok: true },
    'push, speed': { value: 104.77, unit: 'MiB/s', target: { min: 200 }, ok: false },
    narinfo: { value: 4578.5, unit: '/s', target: null, ok: true },
    'pull, 8 connections': { value: 0.5, unit: '×', target: {}, ok: true },
  };
  const page = '# Page\n\n<!-- bench:start -->\n\nold\n\n<!-- bench:end -->\n\nafter\n';
  expect(withBenchTable(page, { figures, machine, date })).toBe(`# Page

<!-- bench:start -->

Measured on 2026-11-23: 2 × Some CPU, Node 26.10.0.

| Figure              |     Value | Target | Reached |
| ------------------- | --------: | ------ | ------- |
| pull, times nginx   |    1.23 × | ≤ 1.5  | yes     |
| push, speed         | 105 MiB/s | ≥ 200  | **no**  |
| narinfo             |   4579 /s |        |         |
| pull, 8 connections |     0.5 × |        |         |

<!-- bench:end -->

after
`);
});

test('a page without markers is refused', () => {
  expect(() => withBenchTable('# Page\n', { figures: {}, machine, date })).toThrow('bench:start');
});
