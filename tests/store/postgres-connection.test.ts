import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { isMissing, startPostgres } from '@flywheel/testing';
import type { Postgres } from '@flywheel/testing';
import { toFlywheelError } from '@flywheel/base';
import { migrate, SCHEMA_VERSION } from '../../packages/cache/src/db/migrations.ts';
import { openPostgres } from '../../packages/cache/src/db/postgres.ts';
import { simulate } from '../../packages/cache/src/db/test-simulation.ts';
import {
  createCache,
  narCommit,
  objectUse,
  openReplica,
  sha256,
  upload,
} from './postgres-replica.ts';

const found = await startPostgres();
const postgres = found as Postgres;

afterAll(async () => {
  if (!isMissing(found)) await postgres[Symbol.asyncDispose]();
});

if (isMissing(found)) test('PostgreSQL', ({ skip }) => skip(true, found.missing));

const OURS = `from pg_stat_activity where application_name = 'flywheel-cache'`;

function isUnavailable(error: unknown): boolean {
  return toFlywheelError(error).code === 'unavailable';
}

describe.skipIf(isMissing(found))('opening', () => {
  test('processes that start at once migrate once', async () => {
    const url = await postgres.createDatabase();
    const handles = await Promise.all(Array.from({ length: 5 }, () => openPostgres(url)));

    await Promise.all(handles.map(migrate));

    const database = new URL(url).pathname.slice(1);
    const versions = await postgres.sql('select version from schema_version', database);
    expect(versions).toBe(String(SCHEMA_VERSION));
    await Promise.all(handles.map((handle) => handle.db.destroy()));
  });

  test('a newer schema is refused', async () => {
    const url = await postgres.createDatabase();
    const database = await openPostgres(url);
    await migrate(database);
    await postgres.sql('update schema_version set version = 99', new URL(url).pathname.slice(1));

    await expect(migrate(database)).rejects.toMatchObject({
      code: 'unsupported',
      message: `the database has schema version 99; this program knows ${SCHEMA_VERSION}`,
    });
    await database.db.destroy();
  });

  test('what is wrong is said with names, and never with the password', async () => {
    const url = new URL(await postgres.createDatabase());
    const open = async (change: (url: URL) => void): Promise<unknown> => {
      const changed = new URL(url);
      changed.password = 'hunter2';
      change(changed);
      return openPostgres(changed.href).catch((error: unknown) => error);
    };
    const name = url.pathname.slice(1);

    const wrongPassword = await open(() => {});
    const nobodyThere = await open((changed) => (changed.port = '1'));
    const noDatabase = await openPostgres(`${url.href}-nope`).catch((error: unknown) => error);
    const noTls = await open((changed) => changed.searchParams.set('sslmode', 'require'));
    const noUrl = await openPostgres('postgresql://me:hunter2@[::/db').catch((e: unknown) => e);

    expect(wrongPassword).toMatchObject({
      code: 'unavailable',
      message: `connect to database "${name}" on 127.0.0.1:${postgres.port} as "flywheel": password authentication failed for user "flywheel"`,
    });
    expect(nobodyThere).toMatchObject({
      code: 'unavailable',
      message: `connect to database "${name}" on 127.0.0.1:1 as "flywheel": connect ECONNREFUSED 127.0.0.1:1`,
    });
    expect(noDatabase).toMatchObject({
      code: 'unavailable',
      details: { hint: 'create the database first, owned by that user' },
    });
    expect(noTls).toMatchObject({ code: 'unavailable' });
    expect(noUrl).toMatchObject({ code: 'invalid-input' });
    for (const error of [wrongPassword, nobodyThere, noTls, noUrl]) {
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
    }
    expect(inspect(noDatabase, { depth: 9, showHidden: true })).not.toContain(url.password);
  });

  test('64-bit numbers come back as they went in, and those that cannot are refused', async () => {
    const { database, metadata } = await openReplica(await postgres.createDatabase());
    const { id } = await createCache(metadata);
    const huge = 2 ** 52;
    const { lease } = await metadata.beginUpload(undefined);
    const commit = { ...narCommit(lease, 'nar', ['a']), size: huge, fileSize: huge };
    await metadata.commitNar(commit, objectUse(id, 'h1'));

    expect((await metadata.findObject(id, 'h1'))?.nar).toMatchObject({
      size: 4_503_599_627_370_496,
      hash: sha256('nar'),
    });
    expect(await metadata.statistics()).toMatchObject({ logicalBytes: 4_503_599_627_370_496 });
    await database.db
      .updateTable('nar')
      .set((eb) => ({ size: eb('size', '*', 4) }))
      .execute();
    await expect(metadata.findObject(id, 'h1')).rejects.toThrow(
      'the database holds 18014398509481984, which is no safe integer',
    );
    await metadata.close();
  });
});

describe.skipIf(isMissing(found))('connections that break', () => {
  test('one process reclaims at a time, and the lock ends with its connection', async () => {
    const url = await postgres.createDatabase();
    await using one = await openReplica(url);
    await using two = await openReplica(url);
    const started = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<string>();

    const first = one.metadata.withMaintenanceLock('retention', async () => {
      started.resolve();
      return gate.promise;
    });
    await started.promise;
    expect(
      await two.metadata.withMaintenanceLock('retention', async () => 'second'),
    ).toBeUndefined();
    expect(
      await one.metadata.withMaintenanceLock('retention', async () => 'second'),
    ).toBeUndefined();
    await postgres.sql(`select pg_terminate_backend(pid) ${OURS} and query ilike '%advisory%'`);
    await expect
      .poll(() => two.metadata.withMaintenanceLock('retention', async () => 'third'), {
        interval: 20,
      })
      .toBe('third');
    gate.resolve('first');

    expect(await first).toBe('first');
    expect(await one.metadata.withMaintenanceLock('retention', async () => 'fourth')).toBe(
      'fourth',
    );
    await expect(
      one.metadata.withMaintenanceLock('retention', () => Promise.reject(new Error('failed'))),
    ).rejects.toThrow('failed');
    expect(await two.metadata.withMaintenanceLock('retention', async () => 'fifth')).toBe('fifth');
  });

  test('a commit whose answer is lost is found to have happened', async () => {
    const url = new URL(await postgres.createDatabase());
    const wire = await startLossyWire(Number(url.port));
    url.port = String(wire.port);
    await using replica = await openReplica(url.href);
    const { id } = await createCache(replica.metadata);
    const { lease } = await replica.metadata.beginUpload(undefined);

    wire.loseNextCommit();
    const commit = narCommit(lease, 'nar', ['a', 'b']);
    const { adopted, nar } = await replica.metadata.commitNar(commit, objectUse(id, 'h1'));

    expect(wire.lost()).toBe(1);
    expect(adopted).toBe(true);
    expect((await replica.metadata.findObject(id, 'h1'))?.nar.id).toBe(nar.id);
    const second = await replica.metadata.beginUpload(undefined);
    wire.loseNextCommit();
    const again = narCommit(second.lease, 'nar', ['a', 'b']);
    const late = await replica.metadata.commitNar(again, objectUse(id, 'h2'));

    // Another upload's: this one's own pack is of no use.
    expect(wire.lost()).toBe(2);
    expect(late).toMatchObject({ adopted: false, nar: { id: nar.id } });
    expect(await replica.metadata.findObject(id, 'h2')).toBeDefined();
    expect(await replica.metadata.statistics()).toMatchObject({ nars: 1, packs: 1, chunks: 2 });
    wire.close();
  });

  test('a database that is gone is unavailable, and used again when it is back', async () => {
    await using replica = await openReplica(await postgres.createDatabase(), undefined, {
      poolSize: 4,
    });
    const { id } = await createCache(replica.metadata);
    await Promise.all([replica.metadata.listCaches(), replica.metadata.listCaches()]);

    await postgres.stop();
    const refused = await replica.metadata.beginUpload(undefined).catch((error: unknown) => error);
    const unread = await replica.metadata.listCaches().catch((error: unknown) => error);
    await postgres.start();

    expect(isUnavailable(refused)).toBe(true);
    expect(isUnavailable(unread)).toBe(true);
    await upload(replica.metadata, 'nar', ['a'], objectUse(id, 'h1'));
    expect(await replica.metadata.findObject(id, 'h1')).toBeDefined();
  });

  test('a password that changes is waited out with what is open', async () => {
    const url = new URL(await postgres.createDatabase());
    const role = `rotated_${url.pathname.slice(1).replaceAll('-', '_')}`;
    await postgres.sql(`create role ${role} login password 'old'`);
    url.username = role;
    url.password = 'old';
    const database = await openPostgres(url.href);
    const ask = (): Promise<unknown> =>
      database.db
        .selectNoFrom((build) => build.fn('pg_sleep', [build.val(0.02)]).as('slept'))
        .execute();
    await Promise.all([ask(), ask()]);

    await postgres.sql(`alter role ${role} password 'new'`);
    const answers = await Promise.allSettled(Array.from({ length: 30 }, ask));

    expect(answers.filter(({ status }) => status === 'rejected')).toEqual([]);
    await expect(openPostgres(url.href)).rejects.toMatchObject({ code: 'unavailable' });
    await database.db.destroy();
  });

  test('a statement that takes too long is given up, and its connection is used again', async () => {
    const url = await postgres.createDatabase();
    await using replica = await openReplica(url, undefined, { statementTimeoutMs: 300 });
    await using other = await openReplica(url);
    const { id } = await createCache(replica.metadata);
    const { nar } = await upload(replica.metadata, 'nar', ['a'], objectUse(id, 'h1'));
    const done = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const holding = other.database.transaction(async (tx) => {
      await tx.selectFrom('nar').selectAll().where('id', '=', nar.id).forUpdate().execute();
      held.resolve();
      await done.promise;
    });
    await held.promise;

    const late = await replica.metadata
      .useNar(nar.id, objectUse(id, 'h2'))
      .catch((error: unknown) => error);
    done.resolve();
    await holding;

    expect(late).toMatchObject({ code: 'ETIMEDOUT' });
    expect(isUnavailable(late)).toBe(true);
    await replica.metadata.useNar(nar.id, objectUse(id, 'h2'));
  });

  test('connections killed in the middle of everything leave nothing half', async () => {
    const url = await postgres.createDatabase();
    const handles = await Promise.all(Array.from({ length: 3 }, () => openPostgres(url)));
    await Promise.all(handles.map(migrate));
    let killed = 0;
    const killing = new AbortController();
    const killer = (async () => {
      while (!killing.signal.aborted) {
        const one = `(select pid ${OURS} and state <> 'idle' order by random() limit 1) victim`;
        const answer = await postgres.sql(`select pg_terminate_backend(pid) from ${one}`);
        if (answer === 't') killed += 1;
        await sleep(20);
      }
    })();

    const result = await simulate({
      handles,
      operations: 800,
      parallel: 4,
      seed: 7,
      tolerates: isUnavailable,
    }).finally(() => killing.abort());
    await killer;

    expect(result.broken).toEqual([]);
    expect(result.uploads).toBeGreaterThan(100);
    expect(killed).toBeGreaterThan(20);
    await Promise.all(handles.map((handle) => handle.db.destroy()));
  });
});

/** A TCP proxy that can cut a connection after it has passed on a COMMIT, before the answer. */
async function startLossyWire(target: number) {
  let armed = false;
  let lost = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    let cut = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    client.on('data', (data) => {
      upstream.write(data);
      if (!armed || !data.includes('commit\0')) return;
      armed = false;
      cut = true;
      lost += 1;
    });
    upstream.on('data', (data) => {
      // The server has answered: it is done, and nobody hears of it.
      if (cut) client.destroy();
      else client.write(data);
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    loseNextCommit: () => {
      armed = true;
    },
    lost: () => lost,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
