import { setTimeout as sleep } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { figure, isMissing, secondsSince } from '@flywheel/testing';
import {
  createCache,
  missingPaths,
  uploadPath,
  verifyPath,
  type Server,
} from '../store/attic-client.ts';
import { generatePath, type GeneratedPath } from '../store/sample-nars.ts';
import { startSteadyLoad } from '../store/steady-load.ts';
import { openDatabaseSite } from './database-site.ts';
import type { DatabaseSite } from './database-site.ts';
import { deployedServer } from './deployed-server.ts';

const found = await openDatabaseSite();

describe('a cache over a database of CloudNativePG', () => {
  if (isMissing(found)) test('all of it', ({ skip }) => skip(found.missing));
  else declare(found);
});

function declare(site: DatabaseSite): void {
  const { deployment } = site;
  const kubectl = (...args: readonly string[]): Promise<string> => site.kubectl(...args);
  let server: Server;
  /** Pushed, and never lost again. */
  const kept: GeneratedPath[] = [];
  afterAll(() => site[Symbol.asyncDispose]());

  test('the operators are deployed as they were published', async () => {
    await deployment.flywheel('vendor', 'fetch');
    await deployment.flywheel('secrets', 'sync');
    const startedAt = performance.now();
    await deployment.apply('operators');

    figure('operators ready', secondsSince(startedAt), 's', { max: 180 });
  });

  test('the database is made, and the cache serves from it', async () => {
    const startedAt = performance.now();
    await deployment.apply('attic');
    await ready('attic-db');

    figure('database of two instances and cache ready', secondsSince(startedAt), 's', { max: 300 });
    server = await deployedServer(site);
    await createCache(server, 'team');
    kept.push(await push('before'));
    await verifyPath(server, 'team', kept[0] as GeneratedPath);
  });

  test('a second plan has nothing to do', async () => {
    await deployment.flywheel('plan', '--all', '--check');
  });

  test('a backup is completed, and the write-ahead log archived', async () => {
    const backup = ['backup.postgresql.cnpg.io', '--all'];
    await kubectl('wait', ...backup, '--for=jsonpath={.status.phase}=completed', '--timeout=180s');
    await kubectl(
      'wait',
      'cluster.postgresql.cnpg.io/attic-db',
      '--for=condition=ContinuousArchiving',
      '--timeout=60s',
    );
  });

  test('the password changes under load, and no request is lost', async () => {
    await createCache(server, 'load');
    const load = await startSteadyLoad(server, 'load');

    const startedAt = performance.now();
    await deployment.flywheel('secrets', 'rotate', 'cacheDatabase');
    const took = secondsSince(startedAt);
    await load.stop();

    const { pulls, pushes } = load.take();
    figure("rotation of the database's password under load", took, 's', { max: 180 });
    figure('transfers meanwhile, none lost', pulls.length + pushes.length, 'transfers', {
      min: 50,
    });
  });

  test('the primary is lost under load, and the cache goes on after the failover', async () => {
    const primary = await primaryOf('attic-db');
    const stop = new AbortController();
    const load = pushOnAndOn(stop.signal);
    await sleep(3000);

    const startedAt = performance.now();
    await kubectl('delete', 'pod', primary, '--grace-period=0', '--force');
    await expect
      .poll(() => primaryOf('attic-db'), { timeout: 120_000, interval: 500 })
      .not.toBe(primary);
    const before = kept.length;
    await expect
      .poll(() => kept.length, { timeout: 120_000, interval: 100 })
      .toBeGreaterThan(before);
    figure('pushes go on after the loss of the primary', secondsSince(startedAt), 's', { max: 90 });
    await ready('attic-db');
    stop.abort();
    const { refused } = await load;

    // What a client is to repeat, and nothing else.
    expect(refused.filter((error) => !/: 503 |ECONNRE|EPIPE|socket hang up/.test(error))).toEqual(
      [],
    );
    expect(await missingPaths(server, 'team', kept)).toEqual(new Set());
  });

  test('it is restored to a point in time', async () => {
    const until = new Date(Date.now() + 1000).toISOString();
    await sleep(2000);
    const later = await push('later');
    await archived('attic-db');

    const startedAt = performance.now();
    await deployment.set({
      'cache.database.cnpg.name': 'attic-db-2',
      'cache.database.cnpg.recovery': { from: 'attic-db', until },
    });
    const refused = deployment.apply('attic');
    await expect(refused).rejects.toThrow(/Cluster\/flywheel-cache\/attic-db/);
    await deployment.apply('attic', '--allow-destroy', 'Cluster/flywheel-cache/attic-db');
    await ready('attic-db-2');
    await deployment.flywheel('secrets', 'sync', '--restart');

    figure('restore until the cache serves from it', secondsSince(startedAt), 's', { max: 300 });
    expect(await missingPaths(server, 'team', [...kept, later])).toEqual(new Set([later.hash]));
    for (const path of kept.slice(0, 3)) await verifyPath(server, 'team', path);
    await uploadPath(server, 'team', later);
    await deployment.flywheel('plan', 'attic', '--check');
  });

  async function push(name: string): Promise<GeneratedPath> {
    const content = randomBytes(50_000);
    const path = await generatePath(name, content.length, () => [content]);
    await uploadPath(server, 'team', path);
    return path;
  }

  /** Pushes path after path, each until it is taken; answers what was said meanwhile. */
  async function pushOnAndOn(
    signal: AbortSignal,
  ): Promise<{ readonly refused: readonly string[] }> {
    const refused: string[] = [];
    for (let turn = 0; !signal.aborted; turn += 1) {
      const content = randomBytes(20_000);
      const path = await generatePath(`failover-${turn}`, content.length, () => [content]);
      for (;;) {
        const error = await uploadPath(server, 'team', path).then(
          () => undefined,
          (reason: unknown) => String(reason),
        );
        if (error === undefined) break;
        refused.push(error);
        await sleep(200);
      }
      kept.push(path);
      await sleep(20);
    }
    return { refused };
  }

  async function ready(cluster: string): Promise<void> {
    const object = `cluster.postgresql.cnpg.io/${cluster}`;
    await kubectl('wait', object, '--for=jsonpath={.status.readyInstances}=2', '--timeout=240s');
    await kubectl('wait', object, '--for=condition=Ready', '--timeout=60s');
  }

  async function primaryOf(cluster: string): Promise<string> {
    const path = '--output=jsonpath={.status.currentPrimary}';
    return await kubectl('get', `cluster.postgresql.cnpg.io/${cluster}`, path);
  }

  /** Closes the current segment of the write-ahead log, and waits until it lies in the bucket. */
  async function archived(cluster: string): Promise<void> {
    const psql = ['exec', await primaryOf(cluster), '-c', 'postgres', '--', 'psql', '-XAtqc'];
    const segment = (await kubectl(...psql, 'select pg_walfile_name(pg_switch_wal())')).trim();
    const archive = `select last_archived_wal >= '${segment}' from pg_stat_archiver`;
    await expect
      .poll(async () => (await kubectl(...psql, archive)).trim(), {
        timeout: 120_000,
        interval: 1000,
      })
      .toBe('t');
  }
}
