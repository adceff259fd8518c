import { join } from 'node:path';
import { expect } from 'vitest';
import { formatBytes } from '@flywheel/base';
import { figure } from '@flywheel/testing';
import type { CacheProcess } from '@flywheel/testing';
import { CACHE } from './attic-server.ts';
import { launchNginx, measureTransfers, MIB, rounded } from './bench.ts';
import type { Bench, MeasuredTransfers } from './bench.ts';
import { mirror } from './mirror.ts';
import { alternate, largest, median } from './rounds.ts';

const ROUNDS = 7;
/** What a substitution may cost beside nginx's sendfile, on one connection. */
const MAX_TIMES_NGINX = 1.5;

/** Pulls all NARs of a version from our server, and the very same bytes from nginx. */
export async function benchPull(
  bench: Bench,
  server: CacheProcess,
  version: 'first' | 'second',
): Promise<void> {
  const { folder, workload, report } = bench;
  const cacheUrl = `${server.url}${CACHE}/`;
  const root = join(folder, `static-${version}`);
  const { nars } = await mirror(cacheUrl, workload[version], root);
  await using nginx = await launchNginx({ root });
  for (const parallel of [1, 8]) {
    const pull = (base: string, pid: number): Promise<MeasuredTransfers> => {
      const transfers = nars.map((path) => ({ url: `${base}${path}` }));
      return measureTransfers(pid, transfers, { folder, parallel });
    };
    const [ours, theirs] = await alternate(
      ROUNDS,
      () => pull(cacheUrl, server.pid),
      () => pull(nginx.url, nginx.pid),
    );
    const receivedBytes = ours[0]?.receivedBytes ?? 0;
    expect(theirs[0]?.receivedBytes).toBe(receivedBytes);
    const [seconds, nginxSeconds] = [median(ours, secondsOf), median(theirs, secondsOf)];
    const peakMib = largest(ours, (run) => run.peakBytes) / MIB;
    const name = `pull, ${version} version, ${parallel === 1 ? 'one connection' : `${parallel} connections`}`;
    report.add(
      name,
      {
        ours: `${rounded(seconds)} s`,
        nginx: `${rounded(nginxSeconds)} s`,
        'times nginx': rounded(seconds / nginxSeconds),
        'CPU s': rounded(median(ours, (run) => run.cpuSeconds)),
        'peak MiB': rounded(peakMib),
        remarks: `${formatBytes(receivedBytes)}; nginx takes ${rounded(median(theirs, (run) => run.cpuSeconds))} CPU s`,
      },
      { ours, nginx: theirs },
    );
    const target = parallel === 1 ? { max: MAX_TIMES_NGINX } : undefined;
    figure(`${name}, times nginx`, seconds / nginxSeconds, '×', target);
    figure(`${name}, peak memory`, peakMib, 'MiB');
  }
}

function secondsOf(run: MeasuredTransfers): number {
  return run.seconds;
}
