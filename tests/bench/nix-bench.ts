import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '@flywheel/base';
import { figure, findNix, isMissing } from '@flywheel/testing';
import type { CacheProcess, Missing, NixEngine } from '@flywheel/testing';
import { CACHE, publicKeyOf } from './attic-server.ts';
import { launchNginx, MIB, narBytes, rounded } from './bench.ts';
import type { Bench } from './bench.ts';
import { mirror } from './mirror.ts';
import { contest, median } from './rounds.ts';
import type { PreparedNar } from './workload.ts';

const ROUNDS = 5;
/** Enough to outweigh the start of nix, little enough for its own database and disk. */
const BYTES = 300 * MIB;
/** 0.95 of the speed. */
const MAX_TIMES_NGINX = 1 / 0.95;

/** Substitutes part of the closure with a real nix, from our server and from nginx. */
export async function benchNix(bench: Bench, server: CacheProcess): Promise<Missing | undefined> {
  const nix = await findNix('2.34');
  if (isMissing(nix)) return nix;
  const { folder, workload, report } = bench;
  const nars = closedPrefix(workload.first, BYTES);
  const cacheUrl = `${server.url}${CACHE}/`;
  const root = join(folder, 'static-nix');
  await mkdir(root, { recursive: true });
  await mirror(cacheUrl, nars, root);
  await writeFile(join(root, 'nix-cache-info'), 'StoreDir: /nix/store\nPriority: 41\n');
  await using nginx = await launchNginx({ root });
  const publicKey = await publicKeyOf(server);
  const paths = nars.map(({ storePath }) => storePath);
  for (const command of ['nix copy', 'nix-store -r'] as const) {
    const run = (url: string): Promise<number> =>
      substitute(nix, command, { url, publicKey, paths });
    const [ours, theirs] = await contest(
      ROUNDS,
      () => run(cacheUrl.slice(0, -1)),
      () => run(nginx.url.slice(0, -1)),
      (mine, other) => median(mine, Number) / median(other, Number) <= MAX_TIMES_NGINX,
    );
    const [seconds, nginxSeconds] = [median(ours, Number), median(theirs, Number)];
    report.add(
      command,
      {
        ours: `${rounded(seconds)} s`,
        nginx: `${rounded(nginxSeconds)} s`,
        'times nginx': rounded(seconds / nginxSeconds),
        remarks: `${paths.length} paths, ${formatBytes(narBytes(nars))} of NARs, nix ${nix.version}`,
      },
      { ours, nginx: theirs },
    );
    figure(`${command}, times nginx`, seconds / nginxSeconds, '×', { max: MAX_TIMES_NGINX });
    figure(`${command}, speed`, narBytes(nars) / MIB / seconds, 'MiB/s');
  }
  return undefined;
}

/** The first of the paths: each refers only to earlier ones, so they are closed. */
function closedPrefix(nars: readonly PreparedNar[], bytes: number): readonly PreparedNar[] {
  let sum = 0;
  return nars.filter(({ narSize }) => (sum += narSize) <= bytes);
}

/** Seconds that nix takes to get the paths into an empty store, signatures checked. */
async function substitute(
  nix: NixEngine,
  command: 'nix copy' | 'nix-store -r',
  from: { readonly url: string; readonly publicKey: string; readonly paths: readonly string[] },
): Promise<number> {
  await using store = await nix.openStore({
    settings: { substituters: from.url, 'trusted-public-keys': from.publicKey },
  });
  const words =
    command === 'nix copy'
      ? ['nix', 'copy', '--from', from.url, ...from.paths]
      : ['nix-store', '--realise', ...from.paths];
  const begin = performance.now();
  await store.mustRun(words, { timeoutMs: 600_000 });
  return (performance.now() - begin) / 1000;
}
