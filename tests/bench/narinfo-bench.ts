import { join } from 'node:path';
import { figure } from '@flywheel/testing';
import type { CacheProcess } from '@flywheel/testing';
import { CACHE } from './attic-server.ts';
import { launchNginx, MAX_PEAK_MIB, MIB, rounded } from './bench.ts';
import type { Bench } from './bench.ts';
import { mirror } from './mirror.ts';
import { costOf } from './process-cost.ts';
import type { ProcessCost } from './process-cost.ts';
import { alternate, largest, median } from './rounds.ts';
import { requestRate } from './wrk.ts';
import type { RequestRate } from './wrk.ts';

const ROUNDS = 5;
const SECONDS = 2;
const CONNECTIONS = 8;
/** Of nginx's rate, with the same CPU time. */
const MIN_SHARE_OF_NGINX = 0.3;

/** Asks for narinfos that are there and for some that are not, as nix does before it downloads. */
export async function benchNarinfos(bench: Bench, server: CacheProcess): Promise<void> {
  const { folder, workload, report } = bench;
  const root = join(folder, 'static-first');
  const { narinfos } = await mirror(`${server.url}${CACHE}/`, workload.first, root);
  await using nginx = await launchNginx({ root });
  const unknown = workload.first.map(({ hash }) => `${hash.split('').reverse().join('')}.narinfo`);
  for (const [kind, names, status] of [
    ['hit', narinfos, 200],
    ['miss', unknown, 404],
  ] as const) {
    const ask = async (
      url: string,
      prefix: string,
      pid: number,
    ): Promise<RequestRate & ProcessCost> => {
      const paths = names.map((name) => `${prefix}${name}`);
      const load = { url, paths, status, connections: CONNECTIONS, seconds: SECONDS, folder };
      const [rate, cost] = await costOf(pid, () => requestRate(load));
      return { ...rate, ...cost };
    };
    const [ours, theirs] = await alternate(
      ROUNDS,
      () => ask(server.url, `/${CACHE}/`, server.pid),
      () => ask(nginx.url, '/', nginx.pid),
    );
    const [rate, nginxRate] = [median(ours, rateOf), median(theirs, rateOf)];
    const peakMib = largest(ours, (run) => run.peakBytes) / MIB;
    const name = `narinfo ${kind}, ${CONNECTIONS} connections`;
    report.add(
      name,
      {
        ours: `${rounded(rate)} /s`,
        nginx: `${rounded(nginxRate)} /s`,
        'times nginx': rounded(nginxRate / rate),
        'CPU s': rounded(median(ours, (run) => run.cpuSeconds)),
        'peak MiB': rounded(peakMib),
        remarks: `median ${rounded(median(ours, latencyOf))} ms, nginx ${rounded(median(theirs, latencyOf))} ms`,
      },
      { ours, nginx: theirs },
    );
    figure(name, rate, '/s');
    figure(`${name}, peak memory`, peakMib, 'MiB', { max: MAX_PEAK_MIB });
    figure(`${name}, times nginx`, nginxRate / rate, '×');
    // wrk needs a core of its own: what each server does with one is its rate by its CPU time.
    const [perCore, nginxPerCore] = [median(ours, perCpuSecond), median(theirs, perCpuSecond)];
    figure(`narinfo ${kind}, each core`, perCore, '/CPU s');
    const target = kind === 'hit' ? { min: MIN_SHARE_OF_NGINX } : undefined;
    figure(`narinfo ${kind}, each core, share of nginx`, perCore / nginxPerCore, '×', target);
  }
}

function perCpuSecond(run: RequestRate & ProcessCost): number {
  return (run.perSecond * SECONDS) / run.cpuSeconds;
}

function rateOf(run: RequestRate): number {
  return run.perSecond;
}

function latencyOf(run: RequestRate): number {
  return run.medianMs;
}
