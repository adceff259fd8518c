import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Seeded } from './seeded.ts';

export interface SourceFile {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly executable: boolean;
}

/** The files that lie together in one folder: they belong together in a package, too. */
export interface SourceFolder {
  readonly files: readonly SourceFile[];
  readonly size: number;
}

// Executables, libraries, documentation, headers, sources: what packages are made of.
const ROOTS = ['bin', 'sbin', 'lib', 'libexec', 'share', 'include'].map((name) => `/usr/${name}`);
/** A few giants would otherwise be half of the sample. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_FOLDER_BYTES = 16 * 1024 * 1024;

/**
 * Folders of this machine's own files, in an order that only the seed and the installed software
 * decide, until they hold `bytes`. Fewer where the machine does not have that much.
 */
export async function sampleFolders(options: {
  readonly roots?: readonly string[];
  readonly bytes: number;
  readonly seed: number;
}): Promise<readonly SourceFolder[]> {
  const paths: string[] = [];
  for (const root of options.roots ?? ROOTS) await collectFolders(root, paths);
  const chosen: SourceFolder[] = [];
  let total = 0;
  for (const path of new Seeded(options.seed).shuffle(paths.sort())) {
    for (const folder of splitFolder(await readFiles(path))) {
      if (total >= options.bytes) return chosen;
      chosen.push(folder);
      total += folder.size;
    }
  }
  return chosen;
}

async function collectFolders(path: string, found: string[]): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  found.push(path);
  for (const entry of entries) {
    if (entry.isDirectory()) await collectFolders(join(path, entry.name), found);
  }
}

async function readFiles(path: string): Promise<readonly SourceFile[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const files: SourceFile[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const file = join(path, entry.name);
    const { size, mode } = await stat(file);
    if (size > MAX_FILE_BYTES) continue;
    files.push({ path: file, name: entry.name, size, executable: (mode & 0o111) !== 0 });
  }
  return files.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

/** Where a whole distribution lies in one folder, as in /usr/bin, it is more than one package. */
function splitFolder(files: readonly SourceFile[]): readonly SourceFolder[] {
  const parts: { files: SourceFile[]; size: number }[] = [];
  for (const file of files) {
    let part = parts.at(-1);
    if (part === undefined || part.size + file.size > MAX_FOLDER_BYTES) {
      part = { files: [], size: 0 };
      parts.push(part);
    }
    part.files.push(file);
    part.size += file.size;
  }
  return parts;
}
