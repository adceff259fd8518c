import type { CliContext } from '../context.ts';

/** What a command runs: everything it may use comes in as arguments. */
export type Run<FLAGS, ARGS extends readonly (string | undefined)[]> = (
  context: CliContext,
  flags: FLAGS,
  ...args: ARGS
) => Promise<void>;

/**
 * The `loader` of a command. What it runs is imported when it runs, so that --help costs the same
 * however much there is: `loader: lazily(async () => (await import('../x/run.ts')).runX)`.
 */
export function lazily<FLAGS, ARGS extends readonly (string | undefined)[]>(
  load: () => Promise<Run<FLAGS, ARGS>>,
) {
  return async () => {
    const run = await load();
    // Stricli hands the context over as `this`.
    return function command(this: CliContext, flags: FLAGS, ...args: ARGS): Promise<void> {
      return run(this, flags, ...args);
    };
  };
}
