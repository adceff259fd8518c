import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import type { CliContext } from '../context.ts';
import type { OutputFlags } from '../output/index.ts';

export interface TestFlags extends OutputFlags {
  readonly suite?: readonly string[];
  readonly list?: boolean;
}

/**
 * Hands over to tests/run.ts in a process of its own: the tests and their tools are no part of
 * the product, which may not import them.
 */
export async function runTests(
  context: CliContext,
  flags: TestFlags,
  ...vitestArguments: readonly string[]
): Promise<void> {
  const runner = join(context.root, 'tests', 'run.ts');
  if (!existsSync(runner)) {
    throw new FlywheelError('not-found', `there are no tests in ${context.root}`, {
      details: { hint: 'The tests come with the source: run this in a git checkout.' },
    });
  }
  const suites = (flags.suite ?? []).flatMap((name) => ['--suite', name]);
  const list = flags.list === true ? ['--list'] : [];
  const json = flags.json === true ? ['--json'] : [];
  const child = spawn(
    process.execPath,
    [runner, ...suites, ...list, ...json, '--', ...vitestArguments],
    { cwd: context.root, stdio: 'inherit', env: childEnv(context) },
  );
  // Ctrl-C reaches the child from the terminal; a signal sent to this process alone is passed on.
  const passOn = (): void => void child.kill('SIGTERM');
  context.signal.addEventListener('abort', passOn);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
    (resolve, reject) => {
      child.on('error', reject);
      child.on('close', (...end) => resolve(end));
    },
  );
  context.signal.removeEventListener('abort', passOn);
  context.signal.throwIfAborted();
  if (code === null) throw new FlywheelError('internal', `the test runner was ended by ${signal}`);
  context.process.exitCode = code;
}

/** Vitest colours its output in CI even where nothing shows it. */
function childEnv({ process: { env, stdout } }: CliContext): NodeJS.ProcessEnv {
  return stdout.isTTY || env['FORCE_COLOR'] !== undefined ? env : { ...env, NO_COLOR: '1' };
}
