import { join } from 'node:path';
import { expect } from 'vitest';
import { formatBytes } from '@flywheel/base';
import { figure } from '@flywheel/testing';
import type { CacheProcess } from '@flywheel/testing';
import { CACHE } from './attic-server.ts';
import { launchNginx, MAX_PEAK_MIB, measureTransfers, MIB, rounded } from './bench.ts';
import type { Bench, MeasuredTransfers } from './bench.ts';
import { mirror } from './mirror.ts';
import { contest, fastest, largest, median } from './rounds.ts';

const ROUNDS = 7;
/** 0.6 of the speed of sendfile, at least. A bare Node stream was measured at 0.5 to 0.65 of it. */
const MAX_TIMES_NGINX = 1 / 0.6;

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
  for (const parallel of [1, 4, 16]) {
    const pull = (base: string, pid: number): Promise<MeasuredTransfers> => {
      const transfers = nars.map((path) => ({ url: `${base}${path}` }));
      return measureTransfers(pid, transfers, { folder, parallel });
    };
    const [ours, theirs] = await contest(
      ROUNDS,
      () => pull(cacheUrl, server.pid),
      () => pull(nginx.url, nginx.pid),
      (mine, other) => fastest(mine) / fastest(other) <= MAX_TIMES_NGINX,
    );
    const receivedBytes = ours[0]?.receivedBytes ?? 0;
    expect(theirs[0]?.receivedBytes).toBe(receivedBytes);
    const [seconds, nginxSeconds] = [fastest(ours), fastest(theirs)];
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
    figure(`${name}, times nginx`, seconds / nginxSeconds, '×', { max: MAX_TIMES_NGINX });
    figure(`${name}, peak memory`, peakMib, 'MiB', { max: MAX_PEAK_MIB });
  }
}
