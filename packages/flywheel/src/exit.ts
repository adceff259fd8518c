import { isFlywheelError, toFlywheelError } from '@flywheel/base';
import type { ErrorCode } from '@flywheel/base';
import { ExitCode as StricliExit } from '@stricli/core';
import { Interrupted } from './context.ts';

/** The command ran, and what it checked or tested failed. */
export const EXIT_FAILED = 1;
/** The command line itself is wrong. */
export const EXIT_USAGE = 2;

// Documented in docs/reference/exit-codes.md, and stable: scripts depend on them.
const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  'invalid-input': 3,
  'not-found': 4,
  'already-exists': 5,
  unauthorized: 6,
  forbidden: 7,
  'too-large': 8,
  conflict: 9,
  corrupt: 10,
  'no-space': 11,
  unavailable: 12,
  unsupported: 13,
  internal: 70, // EX_SOFTWARE of sysexits.h
};

/** What to do about an error whose own details give no hint. */
const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  unauthorized: 'The other side wants a token that allows this.',
  'no-space': 'Free some space on that disk, and try again.',
  unavailable: 'Try again; `./flywheel doctor` shows what does not answer.',
};

export function exitCodeOf(error: unknown): number {
  const interruption = interruptionIn(error);
  if (interruption !== undefined) return interruption.signalName === 'SIGINT' ? 130 : 143;
  return EXIT_CODES[toFlywheelError(error).code];
}

/** Stricli's own codes are negative; a command's are its own. */
export function exitCodeOfStricli(code: number): number {
  if (code >= 0) return code;
  const usage = code === StricliExit.UnknownCommand || code === StricliExit.InvalidArgument;
  return usage ? EXIT_USAGE : EXIT_CODES.internal;
}

export interface ErrorReport {
  readonly code: ErrorCode | 'interrupted';
  readonly message: string;
  readonly hint?: string;
}

/** An error as a person and a script need it. The stack is for `explainError`. */
export function reportError(error: unknown): ErrorReport {
  if (interruptionIn(error) !== undefined) return { code: 'interrupted', message: 'Interrupted.' };
  const { code, message, details } = toFlywheelError(error);
  const hint = typeof details['hint'] === 'string' ? details['hint'] : HINTS[code];
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

/** The lines for stderr. Causes and stacks only when asked for: they help developers, not users. */
export function explainError(error: unknown, verbose: boolean): string {
  const { code, message, hint } = reportError(error);
  if (code === 'interrupted') return message;
  const lines = [`Error: ${message}`];
  if (hint !== undefined) lines.push(`  ${hint.replaceAll('\n', '\n  ')}`);
  if (code === 'internal') {
    lines.push('  This is a bug in flywheel, please report it.');
    if (!verbose) lines.push('  FLYWHEEL_DEBUG=1 shows where it happened.');
  }
  if (verbose) lines.push(...causes(error));
  return lines.join('\n');
}

function* causes(error: unknown): Generator<string> {
  for (let current = error; current instanceof Error; current = current.cause) {
    const code = isFlywheelError(current) ? ` (${current.code})` : '';
    yield `\n${current.stack ?? current.message}${code}`;
  }
}

/** An abort may arrive bare, or as the cause of an AbortError of Node. */
function interruptionIn(error: unknown): Interrupted | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof Interrupted) return current;
  }
  return undefined;
}
