import type { CommandContext } from '@stricli/core';
import type { ByteStream, Clock } from '@flywheel/base';

/** Where text goes. A terminal has a width and perhaps colours, a pipe has neither. */
export interface Terminal {
  readonly write: (text: string) => void;
  readonly isTTY: boolean;
  /** Width in characters; 80 where nobody knows. */
  readonly columns: number;
  /** Bits of colour; absent on a pipe. Honours NO_COLOR and TERM. */
  readonly getColorDepth?: (env?: Readonly<Partial<Record<string, string>>>) => number;
}

export interface CliProcess {
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly stdin: ByteStream;
  readonly env: Readonly<Partial<Record<string, string>>>;
  /** A command that ran but found something failed sets 1; errors are thrown instead. */
  exitCode?: number;
}

/**
 * All that a command may know of the world, as `this`: no command touches process globals, so a
 * test runs it with a context of its own (test-context.ts).
 */
export interface CliContext extends CommandContext {
  readonly process: CliProcess;
  readonly cwd: string;
  readonly home: string;
  /** The checkout: where pnpm-lock.yaml, tests/ and node_modules/ are. */
  readonly root: string;
  /** The Node that runs this, which the wheel packs. */
  readonly node: { readonly executable: string; readonly version: string };
  readonly clock: Clock;
  /** Aborted by SIGINT or SIGTERM; the reason is an `Interrupted`. */
  readonly signal: AbortSignal;
  /** Run when the process ends, however it ends: restores what must not stay, such as a hidden cursor. */
  readonly atExit: Set<() => void>;
}

/** Why `CliContext.signal` was aborted. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signalName: 'SIGINT' | 'SIGTERM';

  constructor(signalName: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${signalName}`);
    this.signalName = signalName;
  }
}
