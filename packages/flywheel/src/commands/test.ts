import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { outputFlags } from '../output/index.ts';
import type { TestFlags } from '../tests/run.ts';
import { describe } from './help.ts';
import { lazily } from './lazily.ts';

export const test = buildCommand<TestFlags, readonly string[], CliContext>({
  docs: {
    brief: 'Run test suites of this checkout',
    fullDescription: describe(
      `
Runs the suites that need nothing but Node, or those that --suite names. Ends with one line
"N passed, N failed, N skipped", writes .artifacts/NAME.json for each suite (with the measured
figures and their targets), and ends with 1 when a test failed or a target was missed.

What follows -- goes to vitest; a run narrowed that way writes no artifact.`,
      [
        ['./flywheel test', 'the suites that need nothing but Node'],
        ['./flywheel test --list', 'which suites there are, and what they need'],
        ['./flywheel test --suite unit', 'one suite'],
        ['./flywheel test --suite unit -- packages/nix', 'only the files under packages/nix'],
        ["./flywheel test -- -t 'store path'", 'only the tests of that name'],
      ],
    ),
  },
  parameters: {
    flags: {
      suite: {
        kind: 'parsed',
        parse: String,
        placeholder: 'NAME',
        brief: 'A suite to run; may be given several times',
        variadic: true,
        optional: true,
      },
      list: { kind: 'boolean', brief: 'List the suites instead of running them', optional: true },
      ...outputFlags,
    },
    positional: {
      kind: 'array',
      parameter: { parse: String, placeholder: 'VITEST', brief: 'After --: arguments for vitest' },
    },
  },
  loader: lazily(async () => (await import('../tests/run.ts')).runTests),
});
