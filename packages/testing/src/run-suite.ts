import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { parseCLI, startVitest } from 'vitest/node';
import type { Vitest } from 'vitest/node';
import { SuiteReporter } from './suite-reporter.ts';
import type { SuiteResult } from './suite-result.ts';
import type { Suite } from './suites.ts';

export interface RunOptions {
  /** The checkout. */
  readonly root: string;
  /** For vitest: file filters and flags. With any, only a part of the suite runs. */
  readonly vitestArguments: readonly string[];
  /** Where progress and failures go: one stream, so that they stay in order. */
  readonly stdout: Writable;
  readonly signal: AbortSignal;
}

/** Runs one suite to its end, in this process. An abort ends its workers, and with them what the tests started. */
export async function runSuite(suite: Suite, options: RunOptions): Promise<SuiteResult> {
  const filtered = options.vitestArguments.length > 0;
  const reporter = new SuiteReporter(suite.name, filtered);
  const parsed = parseCLI(['vitest', 'run', ...options.vitestArguments], {
    allowUnknownOptions: false,
  });
  let vitest: Vitest | undefined;
  const cancel = (): void => void vitest?.cancelCurrentRun('keyboard-input');
  options.signal.addEventListener('abort', cancel);
  try {
    vitest = await startVitest(
      [...parsed.filter],
      {
        ...parsed.options,
        root: options.root,
        config: join(options.root, 'vitest.config.ts'),
        project: [suite.name],
        reporters: [reporter],
        run: true,
        watch: false,
        // A forgotten test.only would hide all other tests; who filters anyway may use it.
        allowOnly: filtered,
        passWithNoTests: filtered,
      },
      {},
      { stdout: options.stdout, stderr: options.stdout },
    );
    await vitest.close();
  } finally {
    options.signal.removeEventListener('abort', cancel);
  }
  return reporter.result ?? nothingRan(suite.name, filtered);
}

/** Where a filter matches nothing in this suite, that is fine; else somebody must look. */
function nothingRan(suite: string, filtered: boolean): SuiteResult {
  return { suite, passed: 0, failed: filtered ? 0 : 1, skipped: [], figures: {} };
}
