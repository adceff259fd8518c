import { Interrupted } from './context.ts';
import type { CliContext } from './context.ts';

export interface TestContext {
  readonly context: CliContext;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly interrupt: () => void;
  /** Lets the clock of the context go on. */
  readonly pass: (ms: number) => void;
}

/** A context that records instead of printing. For tests of commands. */
export function createTestContext(
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly tty?: boolean;
    readonly home?: string;
    readonly root?: string;
    readonly cwd?: string;
    readonly node?: string;
    readonly stdin?: string;
  } = {},
): TestContext {
  const written = { stdout: '', stderr: '' };
  const interruption = new AbortController();
  let nowMs = 0;
  const terminal = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => void (written[name] += text),
    isTTY: options.tty ?? false,
    columns: 80,
  });
  return {
    context: {
      process: {
        stdout: terminal('stdout'),
        stderr: terminal('stderr'),
        stdin: [Buffer.from(options.stdin ?? '')],
        env: options.env ?? {},
      },
      cwd: options.cwd ?? '/nonexistent',
      home: options.home ?? '/nonexistent',
      root: options.root ?? '/nonexistent',
      node: { executable: options.node ?? '/nonexistent', version: '26.0.0' },
      clock: { now: () => nowMs },
      signal: interruption.signal,
      atExit: new Set(),
    },
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    interrupt: () => interruption.abort(new Interrupted('SIGINT')),
    pass: (ms) => void (nowMs += ms),
  };
}
