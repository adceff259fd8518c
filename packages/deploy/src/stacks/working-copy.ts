// tofu runs in a copy: it writes there what does not belong into the sources (its backend, its
// providers), one environment does not disturb another, and the sources may be read-only.
import { globSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { createHash } from 'node:crypto';
import { FlywheelError, toFlywheelError } from '@flywheel/base';
import type { Stack } from './stack.ts';

/** Which providers exactly; written by the first `init`, and kept with the sources. */
export const LOCK_FILE = '.terraform.lock.hcl';

/** What tofu never reads of a module. */
const NOT_COPIED = ['tests', 'examples', 'README.md', 'stack.yaml', '.terraform', '*.tfstate*'];
const LOCAL_SOURCE = /^\s*source\s*=\s*"(\.{1,2}\/[^"]+)"/gm;

/** Files by path, with `/`, relative to a common root. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** A stack and all modules that it reads from beside it, by their paths below `root`. */
export async function readSources(root: string, stack: Stack): Promise<Files> {
  const files = new Map<string, Uint8Array>();
  const seen = new Set<string>();
  const visit = async (folder: string): Promise<void> => {
    if (seen.has(folder)) return;
    seen.add(folder);
    for (const file of filesOf(folder)) {
      const path = join(folder, file);
      const bytes = await readFile(path);
      files.set(relative(root, path).split(sep).join('/'), bytes);
      if (!file.endsWith('.tf') || file.includes(sep)) continue;
      for (const [, source = ''] of bytes.toString('utf8').matchAll(LOCAL_SOURCE)) {
        const module = resolve(folder, source);
        if (relative(root, module).startsWith('..')) {
          throw new FlywheelError('unsupported', `${path} reads ${source}, outside of ${root}`);
        }
        await visit(module);
      }
    }
  };
  try {
    await visit(stack.folder);
  } catch (error) {
    throw toFlywheelError(error, `read stack ${stack.name}`);
  }
  return new Map([...files].toSorted(([a], [b]) => a.localeCompare(b)));
}

function filesOf(folder: string): readonly string[] {
  const exclude = NOT_COPIED.flatMap((name) => [name, `${name}/**`]);
  return globSync(['**/*', LOCK_FILE], { cwd: folder, exclude, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
}

/** Makes `folder` hold exactly these files; what tofu keeps there for itself stays. */
export async function writeFiles(folder: string, files: Files): Promise<void> {
  const own = (path: string): boolean => /(?:^|\/)\.terraform(?:\/|\.lock\.hcl$)/.test(path);
  for (const path of globSync(['**/*', '**/.*'], { cwd: folder, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))) {
    if (!files.has(path) && !own(path)) await rm(join(folder, path));
  }
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
}

/** SHA-256 of each file, in hexadecimal. */
export function digestsOf(files: Files): Readonly<Record<string, string>> {
  return Object.fromEntries([...files].map(([path, bytes]) => [path, sha256(bytes)]));
}

export function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}
