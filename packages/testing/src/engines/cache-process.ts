import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { FlywheelError } from '@flywheel/base';
import { startChild, stopChild } from './child.ts';

/** As a user starts it: the launcher sets what decides about memory, and becomes the server. */
const LAUNCHER = fileURLToPath(new URL('../../../../flywheel', import.meta.url));
const START_TIMEOUT_MS = 30_000;

/** Our own cache server as a process of its own, to be measured, interrupted and killed. */
export interface CacheProcess extends AsyncDisposable {
  /** Ends with a slash. */
  readonly url: string;
  readonly pid: number;
  /** All permissions on all caches. */
  readonly adminToken: string;
  readonly dataDir: string;
  /** SIGKILL, and waits until it is gone. The data stays. */
  kill(): Promise<void>;
}

export interface CacheProcessOptions {
  /** Where it keeps its data; without this a temporary folder that disposing removes. */
  readonly dataDir?: string;
  /** Port 0 lets it pick. */
  readonly listen?: string;
  /** Further arguments of `flywheel cache serve`. */
  readonly args?: readonly string[];
  /** Further variables, such as credentials of an object store. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `flywheel cache serve` and waits until it says that it is ready. */
export async function startCacheProcess(options: CacheProcessOptions = {}): Promise<CacheProcess> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'cache-')));
  const listen = options.listen ?? '127.0.0.1:0';
  const args = ['cache', 'serve', '--data', dataDir, '--listen', listen, '--json'];
  const env = { HOME: dataDir, PATH: '/usr/bin:/bin', ...options.env };
  const child = startChild([LAUNCHER, ...args, ...(options.args ?? [])], { env });
  let said = '';
  child.stderr?.on('data', (piece: Buffer) => (said = (said + piece.toString()).slice(-4000)));
  const dispose = async (): Promise<void> => {
    // Longer than the server lets transfers end.
    await stopChild(child, 20_000);
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  const ready = Promise.withResolvers<string>();
  child.once('error', ready.reject);
  child.once('exit', (status) => ready.reject(new Error(`it ended with status ${status}`)));
  const timer = setTimeout(() => ready.reject(new Error('it is not ready yet')), START_TIMEOUT_MS);
  if (child.stdout) createInterface(child.stdout).once('line', ready.resolve);
  try {
    const { url, pid } = JSON.parse(await ready.promise) as { url: string; pid: number };
    const token = await readFile(join(dataDir, 'keys', 'admin.token'), 'utf8');
    return {
      url,
      pid,
      adminToken: token.trim(),
      dataDir,
      async kill() {
        child.kill('SIGKILL');
        await stopChild(child);
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (cause) {
    await dispose();
    throw new FlywheelError('unavailable', `start the cache server: ${String(cause)}: ${said}`, {
      cause,
    });
  } finally {
    clearTimeout(timer);
  }
}
