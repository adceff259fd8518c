import { randomBytes } from 'node:crypto';
import { figure } from '@flywheel/testing';
import type { CacheProcess } from '@flywheel/testing';
import { CACHE, statementCount, uploadOf } from './attic-server.ts';
import { GIB, measureTransfers, narBytes, rounded } from './bench.ts';
import type { Bench } from './bench.ts';
import { costOf } from './process-cost.ts';
import { median } from './rounds.ts';

const ROUNDS = 5;
const HASHES = 50_000;
const ALPHABET = '0123456789abcdfghijklmnpqrsvwxyz';

/** What a push asks before it sends anything: which of so many paths are not there yet. */
export async function benchMissingPaths(bench: Bench, server: CacheProcess): Promise<void> {
  const { workload, report } = bench;
  const present = workload.first.map(({ hash }) => hash);
  const absent = Array.from({ length: HASHES - present.length }, randomHash);
  const body = JSON.stringify({ cache: CACHE, store_path_hashes: [...present, ...absent] });
  const runs = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    runs.push(await askOnce(server, body, absent.length));
  }
  const seconds = median(runs, (run) => run.seconds);
  report.add(
    'get-missing-paths, 50,000 hashes',
    {
      ours: `${rounded(seconds * 1000)} ms`,
      'CPU s': rounded(median(runs, (run) => run.cpuSeconds)),
      remarks: `${present.length} of them are there`,
    },
    runs,
  );
  figure('get-missing-paths, 50,000 hashes', seconds * 1000, 'ms');
}

async function askOnce(
  server: CacheProcess,
  body: string,
  expected: number,
): Promise<{ seconds: number; cpuSeconds: number }> {
  const begin = performance.now();
  const [missing, { cpuSeconds }] = await costOf(server.pid, async () => {
    const answer = await fetch(`${server.url}_api/v1/get-missing-paths`, {
      method: 'POST',
      headers: {
        authorization: `bearer ${server.adminToken}`,
        'content-type': 'application/json',
      },
      body,
    });
    return ((await answer.json()) as { missing_paths: string[] }).missing_paths.length;
  });
  if (missing !== expected) throw new Error(`${missing} paths are missing, not ${expected}`);
  return { seconds: (performance.now() - begin) / 1000, cpuSeconds };
}

function randomHash(): string {
  return Array.from(randomBytes(32), (byte) => ALPHABET[byte % 32]).join('');
}

/**
 * Pushes a closure that is there already, as a client does that asks nothing first. The server
 * hashes what it already has, and stores nothing.
 */
export async function benchRepush(bench: Bench, server: CacheProcess): Promise<void> {
  const { folder, workload, report } = bench;
  const uploads = workload.first.map((nar) => uploadOf(server, nar));
  const runs = [];
  const before = await statementCount(server);
  for (let round = 0; round < 3; round += 1) {
    runs.push(await measureTransfers(server.pid, uploads, { folder, parallel: 5 }));
  }
  const gib = narBytes(workload.first) / GIB;
  const seconds = median(runs, (run) => run.seconds);
  const statements = ((await statementCount(server)) - before) / runs.length / gib;
  report.add(
    'push, first version again',
    {
      ours: `${rounded(seconds)} s`,
      'CPU s': rounded(median(runs, (run) => run.cpuSeconds)),
      remarks: `${rounded(statements)} statements a GiB`,
    },
    runs,
  );
  figure('push of what is there, speed', (gib * 1024) / seconds, 'MiB/s');
}
