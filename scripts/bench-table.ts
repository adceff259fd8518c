// Writes the figures of the last run of the suite "bench" into docs/development/benchmarks.md,
// between its two markers: ./flywheel test --suite bench && node scripts/bench-table.ts
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Figure } from '@flywheel/testing';

const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

/** What of .artifacts/bench.json and of .artifacts/rounds/cache.json goes into the table. */
export interface BenchRun {
  readonly figures: Readonly<Record<string, Figure>>;
  readonly machine: { readonly cpus: number; readonly model: string; readonly node: string };
  /** When the run ended, ISO 8601. */
  readonly date: string;
}

/** The page with the run between its markers. Throws where it has none. */
export function withBenchTable(page: string, run: BenchRun): string {
  const [before, rest = ''] = page.split(START);
  const after = rest.split(END)[1];
  if (before === undefined || after === undefined) {
    throw new Error(`the page has no ${START} and ${END}`);
  }
  return `${before}${START}\n\n${renderRun(run)}\n\n${END}${after}`;
}

function renderRun({ figures, machine, date }: BenchRun): string {
  const rows = Object.entries(figures).map(([name, { value, unit, target, ok }]) => [
    name,
    `${threeDigits(value)} ${unit}`,
    targetText(target),
    target === null || targetText(target) === '' ? '' : ok ? 'yes' : '**no**',
  ]);
  const { cpus, model, node } = machine;
  return [
    `Measured on ${date.slice(0, 10)}: ${cpus} × ${model}, Node ${node.replace(/^v/, '')}.`,
    '',
    ...alignedTable([['Figure', 'Value', 'Target', 'Reached'], ...rows]),
  ].join('\n');
}

function targetText(target: Figure['target']): string {
  const bounds = [
    target?.min === undefined ? [] : [`≥ ${threeDigits(target.min)}`],
    target?.max === undefined ? [] : [`≤ ${threeDigits(target.max)}`],
  ];
  return bounds.flat().join(', ');
}

/** More would pretend that a second run gives the same. */
function threeDigits(value: number): string {
  return Math.abs(value) >= 1000 ? String(Math.round(value)) : String(+value.toPrecision(3));
}

/** As Prettier lays a table out, values to the right. */
function alignedTable(rows: readonly (readonly string[])[]): readonly string[] {
  const columns = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const pad = (row: readonly string[]): string =>
    line(
      columns.map((width, i) => (i === 1 ? row[i]?.padStart(width) : row[i]?.padEnd(width)) ?? ''),
    );
  const [head = [], ...body] = rows;
  const rule = columns.map((width, i) =>
    i === 1 ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  return [pad(head), line(rule), ...body.map(pad)];
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '..');
  const json = (name: string): unknown =>
    JSON.parse(readFileSync(join(root, '.artifacts', name), 'utf8'));
  const { figures } = json('bench.json') as Pick<BenchRun, 'figures'>;
  const { machine } = json('rounds/cache.json') as Pick<BenchRun, 'machine'>;
  const page = join(root, 'docs/development/benchmarks.md');
  const date = statSync(join(root, '.artifacts/bench.json')).mtime.toISOString();
  writeFileSync(page, withBenchTable(readFileSync(page, 'utf8'), { figures, machine, date }));
}
