import type { FlywheelError } from '@flywheel/base';
import { reportError } from '../exit.ts';
import type { ErrorReport } from '../exit.ts';
import { paths } from './count.ts';

/** Paths that did not make it, as one thing to read: how many, and why the first did not. */
export function explainFailures(
  failed: readonly { readonly error: FlywheelError }[],
  what: 'pushed' | 'pulled',
): ErrorReport | undefined {
  const [first] = failed;
  if (first === undefined) return undefined;
  const { code, message, hint } = reportError(first.error);
  const text =
    failed.length === 1
      ? `1 path was not ${what}: ${message}`
      : `${paths(failed.length)} were not ${what}. The first: ${message}`;
  return { code, message: text, ...(hint === undefined ? {} : { hint }) };
}
