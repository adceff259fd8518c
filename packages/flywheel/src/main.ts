#!/usr/bin/env node
// The edge: the only file of this package that touches the process.
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { systemClock } from '@flywheel/base';
import { runCli } from './app.ts';
import { Interrupted } from './context.ts';
import type { CliContext, Terminal } from './context.ts';

/** A stream is a terminal or a pipe, whatever its type says. */
function terminal(stream: Writable & Partial<WriteStream>): Terminal {
  // `flywheel … | head` closes the pipe early: that is the reader's right, not an error.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  return {
    write: (text) => void stream.write(text),
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.columns ?? 80;
    },
    ...(stream.getColorDepth ? { getColorDepth: stream.getColorDepth.bind(stream) } : {}),
  };
}

const interruption = new AbortController();
const context: CliContext = {
  process: {
    stdout: terminal(process.stdout),
    stderr: terminal(process.stderr),
    // Not opened before somebody wants it.
    get stdin() {
      return process.stdin;
    },
    env: process.env,
  },
  cwd: process.cwd(),
  home: homedir(),
  root: resolve(import.meta.dirname, '../../..'),
  node: { executable: process.execPath, version: process.versions.node },
  clock: systemClock,
  signal: interruption.signal,
  atExit: new Set(),
};

process.on('exit', () => {
  for (const restore of context.atExit) restore();
});
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // The first asks the command to end in its own way, the second does not ask.
    if (interruption.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
    interruption.abort(new Interrupted(name));
  });
}

process.exitCode = await runCli(process.argv.slice(2), context);
