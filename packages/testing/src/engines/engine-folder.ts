import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where what is expensive to fetch or build stays between runs, outside every checkout. */
export function enginesFolder(env: NodeJS.ProcessEnv = process.env): string {
  const cache = env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache');
  return join(cache, 'flywheel', 'engines');
}

/**
 * The folder at `path`, made by `build` when it is not there yet. `build` fills a temporary
 * sibling that is renamed when it is complete, so a folder that exists is whole; a lock keeps
 * others from doing the same work at the same time.
 */
export async function buildOnce(
  path: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  if (await exists(path)) return path;
  await mkdir(dirname(path), { recursive: true });
  const release = await lock(`${path}.lock`);
  const draft = `${path}.${process.pid}.draft`;
  try {
    if (await exists(path)) return path;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft);
    await build(draft);
    await rename(draft, path);
    return path;
  } finally {
    await rm(draft, { recursive: true, force: true });
    await release();
  }
}

/**
 * Takes a lock file that holds its owner's process id. A lock whose owner is dead is removed; two
 * waiters that both remove it can at worst both build, each in its own draft.
 */
async function lock(path: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      await using file = await open(path, 'wx');
      await file.write(`${process.pid}\n`);
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (await abandoned(path)) await rm(path, { force: true });
    else await sleep(200);
  }
}

async function abandoned(path: string): Promise<boolean> {
  const owner = Number.parseInt(await readFile(path, 'utf8').catch(() => ''), 10);
  // Just created and its id not written yet, or just released: look again.
  if (Number.isNaN(owner)) return false;
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
