import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '@flywheel/base';
import { figure, runChild } from '@flywheel/testing';
import type { CacheProcess } from '@flywheel/testing';
import { startServer, statementCount, uploadOf } from './attic-server.ts';
import {
  GIB,
  launchNginx,
  MAX_PEAK_MIB,
  measureTransfers,
  MIB,
  narBytes,
  rounded,
} from './bench.ts';
import type { Bench, MeasuredTransfers } from './bench.ts';
import { storedBytes } from './stored-bytes.ts';
import { alternate, median } from './rounds.ts';
import { wholeFileBytes } from './whole-files.ts';
import type { PreparedNar } from './workload.ts';

const ROUNDS = 3;
/** As many as Attic's client uploads at once. */
const PARALLEL = 5;

const MAX_TIMES_FLOOR = 2;
const MAX_SECOND_SHARE = 0.15;
/** Chunks compress a little worse than whole files, and are stored once. */
const MAX_TIMES_WHOLE_FILES = { first: 1.1, both: 0.755 };

interface Push extends MeasuredTransfers {
  readonly statements: number;
  readonly storedBytes: number;
}

/**
 * Pushes both versions to an empty server, and compares with two bounds: nginx, which only stores
 * what it receives, and a program that only hashes and compresses. Answers with the last round's
 * server, still running, which the caller stops.
 */
export async function benchPush(bench: Bench): Promise<CacheProcess> {
  const { folder, workload } = bench;
  const { first } = workload;
  const unchanged = new Set(first.map(({ hash }) => hash));
  const second = workload.second.filter(({ hash }) => !unchanged.has(hash));
  let server = await startServer();
  try {
    const [ours, bounds] = await alternate(
      ROUNDS,
      async (round) => {
        if (round > 0) {
          await server[Symbol.asyncDispose]();
          server = await startServer();
        }
        const one = await push(server, first, folder);
        return { first: one, second: await push(server, second, folder) };
      },
      async () => ({
        raw: await storeRaw(first, folder),
        floor: await hashAndCompress(first),
      }),
    );
    const firsts = ours.map((round) => round.first);
    const seconds = median(firsts, (run) => run.seconds);
    const rawSeconds = median(bounds, ({ raw }) => raw.seconds);
    const floorSeconds = median(bounds, ({ floor }) => floor.seconds);
    const floorCpuSeconds = median(bounds, ({ floor }) => floor.cpuSeconds);
    reportPush(bench, 'push, first version', first, firsts, { bounds, rawSeconds, floorSeconds });
    reportPush(
      bench,
      'push, second version',
      second,
      ours.map((round) => round.second),
    );
    await reportStored(
      { first, second },
      {
        first: median(firsts, (run) => run.storedBytes),
        second: median(ours, (round) => round.second.storedBytes),
      },
    );
    figure('push, times nginx storing it raw', seconds / rawSeconds, '×');
    figure('push, times SHA-256 and zstd alone', seconds / floorSeconds, '×');
    const cpuSeconds = median(firsts, (run) => run.cpuSeconds);
    // Both work on all cores: their CPU time compares what is done, whatever else the machine does.
    const times = cpuSeconds / floorCpuSeconds;
    figure('push, CPU, times SHA-256 and zstd alone', times, '×', { max: MAX_TIMES_FLOOR });
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** What each version has added to the store, beside the other and beside whole files. */
async function reportStored(
  nars: { readonly first: readonly PreparedNar[]; readonly second: readonly PreparedNar[] },
  stored: { readonly first: number; readonly second: number },
): Promise<void> {
  const first = await wholeFileBytes(nars.first);
  const both = first + (await wholeFileBytes(nars.second));
  const name = 'push, second version, stored beside the first';
  figure(name, stored.second / stored.first, '×', { max: MAX_SECOND_SHARE });
  figure('stored, first version, times whole files', stored.first / first, '×', {
    max: MAX_TIMES_WHOLE_FILES.first,
  });
  figure('stored, both versions, times whole files', (stored.first + stored.second) / both, '×', {
    max: MAX_TIMES_WHOLE_FILES.both,
  });
}

async function push(
  server: CacheProcess,
  nars: readonly PreparedNar[],
  folder: string,
): Promise<Push> {
  const uploads = nars.map((nar) => uploadOf(server, nar));
  const [statements, stored] = [await statementCount(server), await storedBytes(server.dataDir)];
  const measured = await measureTransfers(server.pid, uploads, { folder, parallel: PARALLEL });
  return {
    ...measured,
    statements: (await statementCount(server)) - statements,
    storedBytes: (await storedBytes(server.dataDir)) - stored,
  };
}

async function storeRaw(nars: readonly PreparedNar[], folder: string): Promise<MeasuredTransfers> {
  const root = join(folder, 'raw');
  await mkdir(root);
  try {
    await using nginx = await launchNginx({ root, writable: true });
    const uploads = nars.map((nar) => ({ url: `${nginx.url}${nar.hash}`, upload: nar.narFile }));
    return await measureTransfers(nginx.pid, uploads, { folder, parallel: PARALLEL });
  } finally {
    await rm(root, { recursive: true });
  }
}

async function hashAndCompress(
  nars: readonly PreparedNar[],
): Promise<{ seconds: number; cpuSeconds: number }> {
  const command = [process.execPath, join(import.meta.dirname, 'floor.ts')];
  // The largest first, so that no core is left alone with it at the end.
  const sorted = nars.toSorted((a, b) => b.narSize - a.narSize);
  const input = sorted.map(({ narFile }) => narFile).join('\n');
  const { stdout, stderr } = await runChild(command, { env: {}, input, timeoutMs: 600_000 });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as { seconds: number; cpuSeconds: number };
}

function reportPush(
  { report }: Bench,
  name: string,
  nars: readonly PreparedNar[],
  runs: readonly Push[],
  bounds?: { rawSeconds: number; floorSeconds: number; bounds: unknown },
): void {
  const gib = narBytes(nars) / GIB;
  const seconds = median(runs, (run) => run.seconds);
  const cpuSeconds = median(runs, (run) => run.cpuSeconds);
  // Each round has a server of its own.
  const peakMib = median(runs, (run) => run.peakBytes) / MIB;
  const statements = median(runs, (run) => run.statements) / gib;
  const stored = median(runs, (run) => run.storedBytes);
  report.add(
    name,
    {
      ours: `${rounded(seconds)} s`,
      ...(bounds && {
        nginx: `${rounded(bounds.rawSeconds)} s, stored raw`,
        'times nginx': rounded(seconds / bounds.rawSeconds),
      }),
      'CPU s': rounded(cpuSeconds),
      'peak MiB': rounded(peakMib),
      remarks: [
        `${formatBytes(gib * GIB)} of NARs stored in ${formatBytes(stored)}`,
        `${rounded(statements)} statements a GiB`,
        ...(bounds ? [`SHA-256 and zstd alone take ${rounded(bounds.floorSeconds)} s`] : []),
      ].join('; '),
    },
    { runs, bounds: bounds?.bounds },
  );
  figure(`${name}, speed`, (gib * GIB) / MIB / seconds, 'MiB/s');
  figure(`${name}, CPU`, cpuSeconds / gib, 's/GiB');
  figure(`${name}, peak memory`, peakMib, 'MiB', { max: MAX_PEAK_MIB });
  figure(`${name}, database statements`, statements, '/GiB', { max: 10_000 });
  figure(`${name}, stored`, stored / MIB, 'MiB');
}
