// Runs test suites: ./flywheel test hands over to this file.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  closingLine,
  existingSuites,
  runSuite,
  SUITES,
  writeSuiteResult,
} from '@flywheel/testing/runner';
import type { Suite, SuiteResult } from '@flywheel/testing/runner';

const root = resolve(import.meta.dirname, '..');
const EXIT_USAGE = 2;

const { values, positionals } = parseArgs({
  options: {
    suite: { type: 'string', multiple: true, default: [] },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
// With --json, stdout holds one document and nothing else.
const stdout = values.json ? process.stderr : process.stdout;

const interruption = new AbortController();
let interruptions = 0;
process.on('SIGTERM', () => interruption.abort());
process.on('SIGINT', () => {
  // The first lets vitest end its workers; whoever insists need not wait for that.
  interruptions += 1;
  if (interruptions > 1) process.exit(130);
  interruption.abort();
});

const existing = existingSuites(root);
if (values.list) list();
else process.exitCode = await main();

function list(): void {
  const rows = SUITES.map((suite) => ({
    name: suite.name,
    needs: suite.needs,
    exists: existing.includes(suite),
    byDefault: suite.embedded,
  }));
  if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else for (const row of rows) process.stdout.write(`${describe(row)}\n`);
}

function describe(row: {
  name: string;
  needs: string;
  exists: boolean;
  byDefault: boolean;
}): string {
  const remark = row.exists ? (row.byDefault ? ', run by default' : '') : ', not yet there';
  return `${row.name.padEnd(12)} needs ${row.needs}${remark}`;
}

async function main(): Promise<number> {
  const unknown = values.suite.filter((name) => !existing.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    const names = existing.map((suite) => suite.name).join(', ');
    process.stderr.write(`No suite "${unknown.join('", "')}". There are: ${names}\n`);
    return EXIT_USAGE;
  }
  const chosen =
    values.suite.length > 0
      ? existing.filter((suite) => values.suite.includes(suite.name))
      : existing.filter((suite) => suite.embedded);
  const results = await runAll(chosen);
  if (interruption.signal.aborted) {
    process.stderr.write('Interrupted.\n');
    return 130;
  }
  if (values.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else process.stdout.write(`${closingLine(results)}\n`);
  return results.some(({ failed }) => failed > 0) ? 1 : 0;
}

async function runAll(suites: readonly Suite[]): Promise<readonly SuiteResult[]> {
  const results: SuiteResult[] = [];
  for (const suite of suites) {
    stdout.write(`\nSuite ${suite.name}\n`);
    const options = { root, vitestArguments: positionals, stdout, signal: interruption.signal };
    const result = await runSuite(suite, options);
    if (interruption.signal.aborted) break;
    if (positionals.length === 0) writeSuiteResult(root, result);
    results.push(result);
  }
  return results;
}
