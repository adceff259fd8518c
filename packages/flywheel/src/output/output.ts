import type { CliContext } from '../context.ts';
import { CLEAR_LINE, startProgress } from './progress.ts';
import type { Progress } from './progress.ts';
import { createStyler } from './style.ts';
import type { Styler } from './style.ts';

/** What a command says. People read lines, scripts ask for one JSON document: never both. */
export interface Output {
  readonly json: boolean;
  /** A line for people, on stdout; nothing with --json. */
  print(line?: string): void;
  /** The whole result for scripts, on stdout; nothing without --json. */
  result(value: unknown): void;
  /** Something worth knowing that is no result, on stderr. */
  note(line: string): void;
  /** Something that went wrong and did not stop the command, on stderr, with what to do. */
  problem(problem: { readonly message: string; readonly hint?: string }): void;
  /** For text that goes to `print`. */
  readonly style: Styler;
  /** Shows how far a step is, on stderr. Use it with `using`, so that an error ends it too. */
  step(label: string, options?: { total?: number; unit?: 'bytes' | 'items' }): Progress;
}

/** The flags that every command takes; spread them into its own. */
export const outputFlags = {
  json: { kind: 'boolean', brief: 'Print one JSON document instead of text', optional: true },
  verbose: { kind: 'boolean', brief: 'Explain errors with their causes', optional: true },
} as const;

export interface OutputFlags {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

export function createOutput(context: CliContext, flags: Pick<OutputFlags, 'json'>): Output {
  const { stdout, stderr, env } = context.process;
  const { json = false } = flags;
  const note = (line: string): void => {
    // A bar that is being drawn makes room, and is drawn again below.
    const barIsOpen = stderr.isTTY && context.atExit.size > 0;
    stderr.write(`${barIsOpen ? CLEAR_LINE : ''}${line}\n`);
  };
  return {
    json,
    print: (line = '') => json || stdout.write(`${line}\n`),
    result: (value) => void (json && stdout.write(`${JSON.stringify(value, null, 2)}\n`)),
    note,
    problem({ message, hint }) {
      note(`${createStyler(stderr, env)('red', 'Error:')} ${message}`);
      if (hint !== undefined) note(`  ${hint.replaceAll('\n', '\n  ')}`);
    },
    style: createStyler(stdout, env),
    step: (label, options = {}) =>
      startProgress(context, {
        label,
        mode: json ? 'silent' : stderr.isTTY ? 'bar' : 'lines',
        ...options,
      }),
  };
}
