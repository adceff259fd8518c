import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { FlywheelError } from '@flywheel/base';
import { startChild } from '../engines/child.ts';
import { readCurrentInput } from './current-input.ts';
import { findingOf, writeFinding, type Finding } from './finding.ts';
import type { FuzzLoopOptions, FuzzReport } from './fuzz-loop.ts';
import type { FuzzProcessOptions } from './main.ts';

export interface FuzzOptions extends FuzzLoopOptions {
  /** The module of the target, from the checkout's root. */
  readonly target: string;
  /** An input that takes longer is a hang; default 20 seconds, since other tests may run beside. */
  readonly hangMs?: number;
  /** Where findings are written; default `.artifacts/fuzz/NAME`. */
  readonly findingsFolder?: string;
}

export interface FuzzResult {
  /** Undefined after a hang or a crash. */
  readonly report: FuzzReport | undefined;
  readonly findings: readonly Finding[];
  /** The findings as files. */
  readonly files: readonly string[];
}

const ROOT = resolve(import.meta.dirname, '../../../..');
/** What memory a server has in a small pod; an input that takes more is a crash. */
const HEAP_MIB = 512;

/**
 * Fuzzes a target in a process of its own: coverage is the target's alone, a hang is seen from
 * outside, and a crash costs nobody else anything.
 */
export async function runFuzz(options: FuzzOptions): Promise<FuzzResult> {
  const name = basename(options.target, '.ts');
  const {
    hangMs = 20_000,
    findingsFolder = join(ROOT, '.artifacts/fuzz', name),
    ...loop
  } = options;
  const folder = await mkdtemp(join(tmpdir(), 'flywheel-fuzz-'));
  try {
    const currentInput = join(folder, 'input');
    await writeFile(currentInput, '');
    const ended = await runProcess({ ...loop, currentInput }, hangMs);
    const findings = 'report' in ended ? ended.report.findings : [ended.finding];
    const files = findings.map((finding) =>
      writeFinding(findingsFolder, { target: options.target, ...finding }),
    );
    return { report: 'report' in ended ? ended.report : undefined, findings, files };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function runProcess(
  options: FuzzProcessOptions,
  hangMs: number,
): Promise<{ readonly report: FuzzReport } | { readonly finding: Finding }> {
  const main = join(import.meta.dirname, 'main.ts');
  const flags = ['--expose-gc', `--max-old-space-size=${HEAP_MIB}`];
  const child = startChild([process.execPath, ...flags, main, 'run', JSON.stringify(options)], {
    env: { PATH: '/usr/bin:/bin' },
  });
  let hangs = false;
  let lastTried: number | undefined;
  let triedAt = performance.now();
  const look = setInterval(() => {
    const tried = readCurrentInput(options.currentInput)?.tried;
    if (tried !== lastTried) triedAt = performance.now();
    lastTried = tried;
    if (performance.now() - triedAt < hangMs) return;
    hangs = true;
    child.kill('SIGKILL');
  }, 250);
  try {
    const [stdout, stderr] = await Promise.all([
      text(child.stdout ?? Readable.from([])),
      text(child.stderr ?? Readable.from([])),
      once(child, 'close'),
    ]);
    if (child.exitCode === 0) return { report: JSON.parse(stdout) as FuzzReport };
    const current = readCurrentInput(options.currentInput);
    if (current === undefined) {
      throw new FlywheelError(
        'internal',
        `${options.target} did not start: ${stderr.slice(-2000)}`,
      );
    }
    const finding = hangs
      ? findingOf('hang', `did not end within ${hangMs} ms`, current.input)
      : findingOf('crash', `exit ${child.exitCode ?? child.signalCode}: ${stderr}`, current.input);
    return { finding };
  } finally {
    clearInterval(look);
  }
}
