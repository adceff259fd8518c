import type { ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError } from '@flywheel/base';
import { startChild, stopChild } from '../child.ts';
import type { Place } from './place.ts';

/** One program of a cluster, with its log in the folder `logs`. */
export class Component implements AsyncDisposable {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #log: string;

  private constructor(name: string, child: ChildProcess, log: string) {
    this.name = name;
    this.#child = child;
    this.#log = log;
  }

  /** Starts `command`, whose program names it. */
  static async start(
    place: Place,
    folder: string,
    command: readonly [program: string, ...args: string[]],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Component> {
    const name = command[0].slice(command[0].lastIndexOf('/') + 1);
    await mkdir(join(folder, 'logs'), { recursive: true });
    const log = join(folder, 'logs', `${name}.log`);
    const child = startChild(place.command(command), {
      cwd: folder,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: folder, ...env },
    });
    const file = createWriteStream(log);
    child.stdout?.pipe(file, { end: false });
    child.stderr?.pipe(file, { end: false });
    child.once('close', () => file.end());
    // What does not start is found by who waits for it.
    child.once('error', () => {});
    return new Component(name, child, log);
  }

  /** Waits until `ask` is true. Throws with the end of the log when the program ends before. */
  async ready(ask: () => Promise<boolean>, timeoutMs = 120_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (performance.now() < deadline) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) break;
      if (await ask()) return;
      await sleep(200);
    }
    const said = (await readFile(this.#log, 'utf8').catch(() => '')).slice(-3000);
    throw new FlywheelError('unavailable', `${this.name} did not start: ${said}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopChild(this.#child);
  }
}
