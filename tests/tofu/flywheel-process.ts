import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { runChild, startChild } from '@flywheel/testing';
import type { RunResult, Tofu } from '@flywheel/testing';

const ROOT = resolve(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'packages/flywheel/src/main.ts');

/** A folder with an organization of its own, in which the real command line runs. */
export interface Workplace extends AsyncDisposable {
  readonly folder: string;
  path(name: string): string;
  write(name: string, text: string): Promise<void>;
  read(name: string): Promise<string>;
  flywheel(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<RunResult>;
  /** The same, still running. */
  start(args: readonly string[]): ChildProcess;
}

/** With an example as config/organization.yaml, changed by `edit`. */
export async function makeWorkplace(
  tofu: Tofu,
  options: {
    readonly example?: string;
    readonly edit?: (text: string) => string;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), 'workplace-'));
  const path = (name: string): string => join(folder, name);
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(dirname(path(name)), { recursive: true });
    await writeFile(path(name), text);
  };
  const example = join(ROOT, 'config', options.example ?? 'organization.example.yaml');
  const text = await readFile(example, 'utf8');
  await write('config/organization.yaml', options.edit?.(text) ?? text);
  return {
    folder,
    path,
    write,
    read: (name) => readFile(path(name), 'utf8'),
    flywheel: (args, env = {}) =>
      runChild([process.execPath, MAIN, ...args], {
        cwd: folder,
        env: { ...tofu.env, FLYWHEEL_TOFU: tofu.program, ...options.env, ...env },
        timeoutMs: 240_000,
      }),
    start: (args) =>
      startChild([process.execPath, MAIN, ...args], {
        cwd: folder,
        env: { ...tofu.env, FLYWHEEL_TOFU: tofu.program, ...options.env },
      }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
