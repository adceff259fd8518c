import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseNarInfo } from '@flywheel/nix';
import { transferAll } from './curl.ts';
import type { PreparedNar } from './workload.ts';

/** The paths of what a binary cache serves for some store paths, relative to its URL. */
export interface ServedPaths {
  readonly narinfos: readonly string[];
  readonly nars: readonly string[];
}

/**
 * Copies what a cache serves into files under `folder`, at the same paths, so that another server
 * can serve the very same bytes. The URL ends with a slash.
 */
export async function mirror(
  cacheUrl: string,
  nars: readonly PreparedNar[],
  folder: string,
): Promise<ServedPaths> {
  const download = async (paths: readonly string[]): Promise<void> => {
    for (const path of paths) await mkdir(dirname(join(folder, path)), { recursive: true });
    const transfers = paths.map((path) => ({
      url: `${cacheUrl}${path}`,
      output: join(folder, path),
    }));
    await transferAll(transfers, { folder, parallel: 1 });
  };
  const narinfos = nars.map(({ hash }) => `${hash}.narinfo`);
  await download(narinfos);
  const infos = await Promise.all(
    narinfos.map(async (path) => parseNarInfo(await readFile(join(folder, path), 'utf8'))),
  );
  const served = { narinfos, nars: infos.map(({ url }) => url) };
  await download(served.nars);
  return served;
}
