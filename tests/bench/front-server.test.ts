import { existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { figure } from '@flywheel/testing';
import { documentedSite } from '../store/documented-nginx.ts';
import { CACHE, startServer, uploadOf } from './attic-server.ts';
import { GIB, launchNginx, MIB, rounded } from './bench.ts';
import { transferAll } from './curl.ts';
import { mirror } from './mirror.ts';
import { Report } from './report.ts';
import { contest, fastest } from './rounds.ts';
import { makeWorkload, type PreparedNar } from './workload.ts';

const CONDITIONS = { seed: 1, paths: 160, bytes: 0.5 * GIB, changed: 0.05 };
const PROGRAMS = ['/usr/bin/curl', '/usr/sbin/nginx'];
const ROUNDS = 7;
/** How often a round fetches everything: once takes too short a time to be measured well. */
const REPEATS = 5;
/**
 * The aim is 1: the bytes come from the same nginx either way. What is added is one small request a
 * NAR, by a process that shares two cores with nginx and the client: 1.06 to 1.5 by the machine, and
 * by how cold it finds its caches. It must not be slower than a plain GET may be.
 */
const MAX_TIMES_NGINX = 1 / 0.6;

const absent = PROGRAMS.filter((program) => !existsSync(program));
const folder = mkdtempSync(join(tmpdir(), 'bench-front-'));

afterAll(() => rm(folder, { recursive: true }));

/** Those that the cache lets the front server send. */
async function handedOver(cacheUrl: string, nars: readonly PreparedNar[]): Promise<PreparedNar[]> {
  const found: PreparedNar[] = [];
  for (const nar of nars) {
    const head = await fetch(`${cacheUrl}nar/${nar.hash}.nar`, { method: 'HEAD' });
    if (head.headers.has('x-accel-redirect')) found.push(nar);
  }
  return found;
}

test(
  'pull through nginx with X-Accel-Redirect, beside nginx alone',
  { timeout: 900_000 },
  async ({ skip }) => {
    skip(absent.length > 0, `not installed: ${absent.join(', ')}`);
    const { first } = await makeWorkload(join(folder, 'nars'), CONDITIONS);
    await using server = await startServer({
      args: ['--send-file', 'x-accel-redirect=/internal/'],
    });
    const uploads = first.map((nar) => uploadOf(server, nar));
    await transferAll(uploads, { folder, parallel: 5 });
    const nars = await handedOver(`${server.url}${CACHE}/`, first);
    expect(nars.length).toBeGreaterThan(first.length / 2);

    const site = await documentedSite({ dataDir: server.dataDir, cacheUrl: server.url });
    await using front = await launchNginx({ root: folder, site });
    const root = join(folder, 'static');
    const served = await mirror(`${front.url}${CACHE}/`, nars, root);
    await using nginx = await launchNginx({ root });

    const report = new Report('front-server', { ...CONDITIONS, handedOver: nars.length });
    for (const parallel of [1, 4, 16]) {
      const pull = (base: string) => () =>
        transferAll(
          Array.from({ length: REPEATS }, () => served.nars)
            .flat()
            .map((path) => ({ url: `${base}${path}` })),
          { folder, parallel },
        );
      const max = MAX_TIMES_NGINX;
      const [ours, theirs] = await contest(
        ROUNDS,
        pull(`${front.url}${CACHE}/`),
        pull(nginx.url),
        (mine, other) => fastest(mine) / fastest(other) <= max,
      );
      const bytes = ours[0]?.receivedBytes ?? 0;
      expect(theirs[0]?.receivedBytes).toBe(bytes);
      const [seconds, nginxSeconds] = [fastest(ours), fastest(theirs)];
      const name = `pull by X-Accel-Redirect, ${parallel === 1 ? 'one connection' : `${parallel} connections`}`;
      const times = seconds / nginxSeconds;
      report.add(
        name,
        {
          ours: `${rounded(seconds)} s`,
          nginx: `${rounded(nginxSeconds)} s`,
          'times nginx': rounded(times),
          remarks: `${REPEATS} times ${nars.length} NARs, ${Math.round(bytes / MIB)} MiB`,
        },
        { ours, nginx: theirs },
      );
      figure(`${name}, times nginx`, times, '×', { max });
    }
    await report.finish();
  },
);
