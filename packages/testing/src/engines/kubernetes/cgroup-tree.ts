import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = '/sys/fs/cgroup';
/** Then the process that it belongs to, and which of its trees it is. */
const NAME = /^flywheel-test-(\d+)-\d+$/;
let trees = 0;

/**
 * The cgroups of a node, below one of its own name in each hierarchy: the kernel keeps them when
 * their processes are gone.
 */
export class CgroupTree implements AsyncDisposable {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  /** Makes a tree of this process, and removes those of dead ones. */
  static async make(): Promise<CgroupTree> {
    const hierarchies = await findHierarchies();
    for (const hierarchy of hierarchies) {
      for (const name of await readdir(hierarchy)) {
        const owner = NAME.exec(name)?.[1];
        if (owner !== undefined && !isAlive(Number(owner))) await remove(join(hierarchy, name));
      }
    }
    trees += 1;
    const tree = new CgroupTree(`flywheel-test-${process.pid}-${trees}`);
    for (const hierarchy of hierarchies) {
      await mkdir(join(hierarchy, tree.name), { recursive: true });
    }
    return tree;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const hierarchy of await findHierarchies()) await remove(join(hierarchy, this.name));
  }
}

/** Version 2 is one hierarchy; of version 1, each controller has one. */
async function findHierarchies(): Promise<readonly string[]> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  const found = [...mounts.matchAll(/^\S+ (\/sys\/fs\/cgroup\S*) cgroup2? /gm)].flatMap(
    ([, path]) => path ?? [],
  );
  return found.length === 0 ? [ROOT] : found;
}

/** Its children first. What its last processes still hold is tried again for a while. */
async function remove(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await remove(join(path, entry.name));
  for (let tries = 0; tries < 50; tries += 1) {
    const error = await rmdir(path).then(
      () => undefined,
      (reason: unknown) => reason as NodeJS.ErrnoException,
    );
    if (error?.code !== 'EBUSY') return;
    await sleep(100);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
