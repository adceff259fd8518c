import { existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CacheProcess } from '@flywheel/testing';
import { startServer, uploadOf } from './attic-server.ts';
import { GIB, narBytes } from './bench.ts';
import type { Bench } from './bench.ts';
import { transferAll } from './curl.ts';
import { benchNarinfos } from './narinfo-bench.ts';
import { benchNix } from './nix-bench.ts';
import { benchPull } from './pull-bench.ts';
import { benchPush } from './push-bench.ts';
import { benchMissingPaths, benchRepush } from './question-bench.ts';
import { Report } from './report.ts';
import { makeWorkload } from './workload.ts';
import type { Workload } from './workload.ts';

const CONDITIONS = { seed: 1, paths: 320, bytes: 1.02 * GIB, changed: 0.05 };
const PROGRAMS = ['/usr/bin/curl', '/usr/bin/wrk', '/usr/sbin/nginx'];
const TIMEOUT_MS = 15 * 60_000;

const absent = PROGRAMS.filter((program) => !existsSync(program));
if (absent.length > 0) test('the cache', ({ skip }) => skip(`not installed: ${absent.join(', ')}`));
else describe('the cache beside nginx', { timeout: TIMEOUT_MS }, declareTests);

function declareTests(): void {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  let bench: Bench;
  let server: CacheProcess | undefined;

  beforeAll(async () => {
    const workload = await makeWorkload(join(folder, 'nars'), CONDITIONS);
    const sizes = { first: narBytes(workload.first), second: narBytes(workload.second) };
    const report = new Report('cache', { ...CONDITIONS, files: workload.files, sizes });
    bench = { folder, workload, report };
    await compileSources(workload, folder);
  }, TIMEOUT_MS);

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await bench?.report.finish();
    await rm(folder, { recursive: true });
  });

  test('push', async ({ skip }) => {
    const bytes = narBytes(bench.workload.first);
    if (bytes < GIB) skip(`the files of this machine make only ${bytes} bytes of NARs, not a GiB`);
    server = await benchPush(bench);
    expect(bench.workload.first.length).toBe(CONDITIONS.paths);
  });

  test('pull, the first version', async ({ skip }) => {
    if (server) await benchPull(bench, server, 'first');
    else skip('nothing was pushed');
  });

  test('pull, the second version', async ({ skip }) => {
    if (server) await benchPull(bench, server, 'second');
    else skip('nothing was pushed');
  });

  test('substitution by nix', async ({ skip }) => {
    const missing = server ? await benchNix(bench, server) : { missing: 'nothing was pushed' };
    if (missing !== undefined) skip(missing.missing);
  });

  test('narinfo', async ({ skip }) => {
    if (server) await benchNarinfos(bench, server);
    else skip('nothing was pushed');
  });

  // Last: a question about 50,000 paths leaves more memory behind than all of the workload.
  test('push of what is there', async ({ skip }) => {
    if (!server) skip('nothing was pushed');
    else await benchQuestions(server);
  });

  async function benchQuestions(running: CacheProcess): Promise<void> {
    await benchRepush(bench, running);
    await benchMissingPaths(bench, running);
  }
}

/** The very first start of a checkout compiles, in 20 MiB more than any later one. */
async function compileSources({ first }: Workload, folder: string): Promise<void> {
  await using server = await startServer();
  await transferAll(
    first.slice(-20).map((nar) => uploadOf(server, nar)),
    { folder, parallel: 5 },
  );
}
