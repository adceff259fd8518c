import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure } from './figure.ts';

/** What .artifacts/NAME.json holds. */
export interface SuiteResult {
  readonly suite: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
  readonly figures: Readonly<Record<string, Figure>>;
}

/** Writes .artifacts/NAME.json below `root`, and returns its path. */
export function writeSuiteResult(root: string, result: SuiteResult): string {
  const folder = join(root, '.artifacts');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${result.suite}.json`);
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}

/** The one line that ends every test run, summed over its suites. */
export function closingLine(results: readonly SuiteResult[]): string {
  const sum = (count: (result: SuiteResult) => number): number =>
    results.reduce((total, result) => total + count(result), 0);
  const skipped = sum((result) => result.skipped.length);
  return `${sum((r) => r.passed)} passed, ${sum((r) => r.failed)} failed, ${skipped} skipped`;
}
