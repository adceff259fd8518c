import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { figure, isMissing, startCacheProcess, startPostgres } from '@flywheel/testing';
import type { CacheProcess, Postgres } from '@flywheel/testing';
import type { DatabaseHandle } from '../../packages/cache/src/db/database.ts';
import { migrate } from '../../packages/cache/src/db/migrations.ts';
import { openPostgres } from '../../packages/cache/src/db/postgres.ts';
import { openSqlite } from '../../packages/cache/src/db/sqlite.ts';
import { fillBulkStore } from '../../packages/cache/src/db/test-bulk.ts';
import { createCache, destroyCache } from './attic-client.ts';
import { writeBulkFiles } from './bulk-store.ts';
import { percentile, startSteadyLoad, type Latencies } from './steady-load.ts';

const PATHS = 200_000;
const IDLE_MS = 15_000;

/** As the stack gives it, by default. */
const found = await startPostgres({ shared_buffers: '256MB' });
const postgres = found as Postgres;
const folders: string[] = [];

afterAll(async () => {
  if (!isMissing(found)) await postgres[Symbol.asyncDispose]();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

interface WireRun {
  readonly kind: string;
  readonly id: number;
  readonly state: string;
  readonly error: string | null;
  readonly started_at: number;
  readonly finished_at: number;
  readonly result: {
    readonly caches: readonly { readonly paths: number; readonly kept_paths: number }[];
    readonly reclaimed: { readonly nars: number; readonly packs: number };
  };
}

async function api(server: CacheProcess, method: string, path: string, body?: object) {
  const answer = await fetch(`${server.url}_flywheel/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${server.adminToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** Waits until nothing is under way, and answers the last run. */
async function lastRun(server: CacheProcess): Promise<WireRun> {
  for (;;) {
    const { runs: all } = (await api(server, 'GET', 'runs')) as { runs: WireRun[] };
    const runs = all.filter(({ kind }) => kind === 'retention');
    const isOver = runs.every(({ state }) => state === 'done' || state === 'failed');
    if (runs[0] !== undefined && isOver) return runs[0];
    await sleep(250);
  }
}

async function residentMiB(server: CacheProcess): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

async function fill(database: DatabaseHandle): Promise<void> {
  await migrate(database);
  await fillBulkStore(database, PATHS);
  await database.db.destroy();
}

function compare(name: string, idle: readonly number[], busy: readonly number[]): void {
  const [before, during] = [percentile(idle, 0.99), percentile(busy, 0.99)];
  figure(`${name}, p99 idle`, round(before), 'ms');
  figure(`${name}, p99 during the run`, round(during), 'ms');
  figure(`${name}, p99 during the run over idle`, round(during / before), '×');
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

async function collectUnderLoad(database: string, server: CacheProcess): Promise<void> {
  await createCache(server, 'load');
  await lastRun(server);
  const load = await startSteadyLoad(server, 'load');
  await sleep(2000);
  load.take();
  await sleep(IDLE_MS);
  const idle: Latencies = load.take();

  await api(server, 'PATCH', 'caches/bulk', { retention_seconds: 90 * 86_400 });
  await api(server, 'POST', 'runs', { kind: 'retention' });
  const run = await lastRun(server);
  const busy = load.take();

  const startedAt = performance.now();
  await destroyCache(server, 'bulk');
  const destroyMs = performance.now() - startedAt;
  const whileDestroyed = load.take();
  await load.stop();
  expect(run).toMatchObject({
    state: 'done',
    result: {
      caches: [{ paths: PATHS / 2, kept_paths: PATHS / 2 }],
      reclaimed: { nars: PATHS / 2, packs: PATHS / 2 },
    },
  });
  const seconds = (run.finished_at - run.started_at) / 1000;
  // The aims are 60 s, and a p99 of three times idle. Both depend on the machine so much that a
  // missed one is written down and fails nothing.
  figure(`${database}: collecting 500,000 chunks and 100,000 paths`, round(seconds), 's');
  compare(`${database}: pull`, idle.pulls, busy.pulls);
  compare(`${database}: push`, idle.pushes, busy.pushes);
  figure(`${database}: destroying a cache of 100,000 paths`, round(destroyMs / 1000), 's');
  figure(`${database}: pull, longest meanwhile`, round(Math.max(...whileDestroyed.pulls)), 'ms');
  figure(`${database}: memory of the server`, round(await residentMiB(server)), 'MiB', {
    max: 400,
  });
}

/** The packs of the bulk store are empty files: all it would do is to find that. */
const NO_SCRUB = ['--scrub-every', 'never'];

// Filling the database takes a good part of it.
const MINUTES = { timeout: 15 * 60_000 };

describe('half of 1,000,000 chunks and 200,000 paths expire while pushes and pulls go on', () => {
  test('SQLite', MINUTES, async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'flywheel-bulk-'));
    folders.push(dataDir);
    await fill(openSqlite(join(dataDir, 'cache.db')));
    await writeBulkFiles(dataDir, PATHS);
    await using server = await startCacheProcess({ dataDir, args: NO_SCRUB });
    await collectUnderLoad('SQLite', server);
  });

  test.skipIf(isMissing(found))('PostgreSQL', MINUTES, async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'flywheel-bulk-'));
    folders.push(dataDir);
    const url = await postgres.createDatabase();
    await fill(await openPostgres(url, { statementTimeoutMs: 300_000 }));
    await writeBulkFiles(dataDir, PATHS);
    const file = join(dataDir, 'database-url');
    await writeFile(file, `${url}\n`);
    await using server = await startCacheProcess({
      dataDir,
      args: ['--database-file', file, ...NO_SCRUB],
    });
    await collectUnderLoad('PostgreSQL', server);
  });
});
