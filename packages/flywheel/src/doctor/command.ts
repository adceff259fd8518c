import { execFile } from 'node:child_process';
import type { CliContext } from '../context.ts';

const TIMEOUT_MS = 10_000;

/** The stdout of a program, or undefined when it is not there or fails. */
export async function outputOf(
  context: CliContext,
  file: string,
  args: readonly string[],
): Promise<string | undefined> {
  const { env } = context.process;
  const options = { timeout: TIMEOUT_MS, env, signal: context.signal };
  return await new Promise((resolve) => {
    execFile(file, args, options, (error, stdout) => resolve(error === null ? stdout : undefined));
  });
}
