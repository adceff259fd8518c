import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { figure } from '@flywheel/testing';
import { runFuzz } from '@flywheel/testing/fuzz';
import { fuzzBudget } from './fuzz-budget.ts';

// Each target of ./fuzz-targets, with inputs that V8's own coverage leads into its corners. What is
// found lies in .artifacts/fuzz; mended, it becomes a test of its own beside the code.

const { seconds, seed, timeoutMs } = fuzzBudget(2);
const TARGETS = globSync('fuzz-targets/*.ts', { cwd: import.meta.dirname }).toSorted();

test.each(TARGETS)('%s', { timeout: timeoutMs }, async (file) => {
  const target = join('tests/protocol', file);
  const { report, findings, files } = await runFuzz({ target, seed, seconds });

  expect({ findings, files }).toEqual({ findings: [], files: [] });
  // Guided: the seeds alone, which are good ones, see no refusal.
  expect(report?.blocks).toBeGreaterThan(report?.seedBlocks ?? 0);
  expect(report?.corpus).toBeGreaterThan(0);
  const name = basename(file, '.ts');
  figure(`fuzz ${name}`, report?.executionsPerSecond ?? 0, 'inputs/s');
  figure(`fuzz ${name}: blocks`, (report?.blocks ?? 0) / (report?.seedBlocks ?? 1), '× of seeds');
  // No input is kept, however many. A quick target shows a leak of 1 KB each within two seconds, a
  // slow one when it is given longer.
  figure(`fuzz ${name}: heap`, (report?.heap.bytes ?? Infinity) / 2 ** 20, 'MiB', { max: 1 });
});
