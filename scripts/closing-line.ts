// Sums the results of a folder of suites up: `closing-line.ts .artifacts`. Ends with 1 when
// anything failed, or when there is nothing to sum up.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closingLine } from '@flywheel/testing/runner';
import type { SuiteResult } from '@flywheel/testing/runner';

const folder = process.argv[2] ?? '.artifacts';
const results = globSync('*.json', { cwd: folder })
  .toSorted()
  .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as SuiteResult);

for (const { suite, passed, failed, skipped } of results) {
  console.log(
    `  ${suite.padEnd(14)} ${passed} passed, ${failed} failed, ${skipped.length} skipped`,
  );
}
console.log(closingLine(results));
process.exitCode = results.length === 0 || results.some(({ failed }) => failed > 0) ? 1 : 0;
