import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { FlywheelError } from '@flywheel/base';

export interface ChildOptions {
  readonly cwd?: string;
  /** The whole environment of the child: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
}

export interface RunOptions extends ChildOptions {
  readonly input?: string;
  /** The child is killed after this long; default two minutes. */
  readonly timeoutMs?: number;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit status, or 128 + the number of the signal as a shell would say it. */
  readonly status: number;
}

const SETPRIV = '/usr/bin/setpriv';
const SIGNALS: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
const OUTPUT_LIMIT = 64 * 1024 * 1024;

/**
 * Starts a program that cannot outlive the one that started it: the kernel sends it SIGTERM when
 * its parent dies, however the parent dies (an exit handler would not see a SIGKILL).
 */
export function startChild(command: readonly string[], options: ChildOptions): ChildProcess {
  const guarded =
    process.platform === 'linux' && existsSync(SETPRIV)
      ? [SETPRIV, '--pdeathsig', 'TERM', '--', ...command]
      : command;
  const [program, ...args] = guarded;
  if (program === undefined) throw new FlywheelError('internal', 'no program to start');
  return spawn(program, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Runs a program to its end. A failing status is an answer; not starting or not ending throws. */
export async function runChild(
  command: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const child = startChild(command, options);
  const timeoutMs = options.timeoutMs ?? 120_000;
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  const output = [child.stdout, child.stderr].map((stream) => gather(stream));
  // A program that never reads its input closes it early; that is its right.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    const [stdout = '', stderr = ''] = output.map((pieces) => Buffer.concat(pieces).toString());
    if (timedOut) {
      throw new FlywheelError(
        'unavailable',
        `${command.join(' ')} did not end within ${timeoutMs} ms; it last said: ${stderr.slice(-500)}`,
      );
    }
    return { stdout, stderr, status: code ?? 128 + (SIGNALS[signal ?? ''] ?? 0) };
  } finally {
    clearTimeout(timer);
  }
}

/** Stops a child: asks, waits, then insists. Returns when it is gone. */
export async function stopChild(child: ChildProcess, graceMs = 5000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await gone;
  clearTimeout(timer);
}

function gather(stream: NodeJS.ReadableStream | null): Buffer[] {
  const pieces: Buffer[] = [];
  let size = 0;
  stream?.on('data', (piece: Buffer) => {
    size += piece.length;
    if (size <= OUTPUT_LIMIT) pieces.push(piece);
  });
  return pieces;
}
