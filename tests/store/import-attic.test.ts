import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { isMissing, startCacheProcess, startPostgres } from '@flywheel/testing';
import type { Postgres, S3Server } from '@flywheel/testing';
import { connectS3 } from '../../packages/cache/src/blobs/s3-client.ts';
import { TestAttic } from '../../packages/cache/src/import-attic/test-attic-store.ts';
import { collectGarbage, missingPaths, uploadPath, verifyPath } from './attic-client.ts';
import { describeEachS3 } from './s3-servers.ts';
import { generatePath, realisticBytes, type GeneratedPath } from './sample-nars.ts';

const LAUNCHER = new URL('../../flywheel', import.meta.url).pathname;
const MIB = 1024 ** 2;

const found = await startPostgres();
const postgres = found as Postgres;
afterAll(async () => {
  if (!isMissing(found)) await postgres[Symbol.asyncDispose]();
});

/** Of which each shares its first MiB with the others. */
function makePath(name: string): Promise<GeneratedPath> {
  return generatePath(name, 2 * MIB, function* contents() {
    yield* realisticBytes(MIB, 'shared');
    yield* realisticBytes(MIB, name);
  });
}

await describeEachS3('from PostgreSQL and a bucket to the same', (s3: S3Server) => {
  test.skipIf(isMissing(found))('paths are taken over in place', async () => {
    await using cleanup = new AsyncDisposableStack();
    const dataDir = await mkdtemp(join(tmpdir(), 'flywheel-import-'));
    cleanup.defer(() => rm(dataDir, { recursive: true, force: true }));
    const { bucket: Bucket, endpoint } = s3;
    Object.assign(process.env, s3.env);
    const { sdk, client } = await connectS3({ bucket: Bucket, endpoint });
    cleanup.defer(() => client.destroy());
    const [theirs, ours] = [await postgres.createDatabase(), await postgres.createDatabase()];
    const name = new URL(theirs).pathname.slice(1);
    const attic = new TestAttic({
      dialect: 'postgres',
      exec: async (statement) => void (await postgres.sql(statement, name)),
      put: async (Key, Body) =>
        void (await client.send(new sdk.PutObjectCommand({ Bucket, Key, Body }))),
      remoteFile: (key) => ({
        json: { S3: { region: 'us-east-1', bucket: Bucket, key } },
        id: `s3:us-east-1/${Bucket}/${key}`,
      }),
    });
    await attic.createTables();
    await attic.addCache('main', { isPublic: true });
    const paths = await Promise.all(['one', 'two', 'three', 'broken'].map(makePath));
    const objects: string[] = [];
    for (const path of paths) {
      const nar = Buffer.concat(await Array.fromAsync(path.nar()));
      // More objects than are kept open.
      const chunkBytes = path === paths[0] ? 28 * 1024 : 128 * 1024;
      const names = await attic.push('main', { ...path, nar }, { chunkBytes });
      objects.push(names.at(-1) ?? '');
    }
    await client.send(new sdk.DeleteObjectCommand({ Bucket, Key: objects[3] ?? '' }));
    const atticNames = async (): Promise<readonly string[]> => {
      const { Contents = [] } = await client.send(new sdk.ListObjectsV2Command({ Bucket }));
      return Contents.map(({ Key = '' }) => Key).filter((key) => key.endsWith('.chunk'));
    };
    const before = await atticNames();

    await writeFile(join(dataDir, 'attic-url'), `${theirs}\n`);
    await writeFile(join(dataDir, 'our-url'), ours);
    const place = ['--database-file', join(dataDir, 'our-url'), '--s3-bucket', Bucket];
    const flags = [...place, '--s3-endpoint', endpoint, '--s3-prefix', 'flywheel/'];
    const take = async (...more: readonly string[]): Promise<object> => {
      const from = [
        '--attic-database',
        join(dataDir, 'attic-url'),
        '--attic-storage',
        `s3://${Bucket}`,
      ];
      const args = [
        'cache',
        'import-attic',
        ...from,
        '--data',
        dataDir,
        ...flags,
        '--json',
        ...more,
      ];
      const { stdout } = await promisify(execFile)(LAUNCHER, args, {
        env: { ...process.env, ...s3.env },
      });
      return JSON.parse(stdout) as object;
    };
    const leftOut = [
      {
        cache: 'main',
        storePath: paths[3]!.storePath,
        reason: `${objects[3]} is missing`,
      },
    ];
    expect(await take('--dry-run')).toMatchObject({ dryRun: true, newPaths: 3, leftOut });
    const server = await startCacheProcess({ dataDir, args: flags, env: s3.env });
    cleanup.use(server);
    // While a server runs that knew nothing of it when it started.
    expect(await take('--verify')).toMatchObject({
      newPaths: 3,
      verified: { nars: 3, damaged: [] },
      leftOut,
    });
    for (const path of paths.slice(0, 3)) await verifyPath(server, 'main', path);
    expect([...(await missingPaths(server, 'main', paths))]).toEqual([paths[3]!.hash]);
    await uploadPath(server, 'main', paths[3]!);
    await verifyPath(server, 'main', paths[3]!);
    await collectGarbage(server);
    expect(await atticNames()).toEqual(before);

    expect(await take('--finish')).toMatchObject({ finished: true, knownPaths: 4, newPaths: 0 });
    await collectGarbage(server);
    for (const path of paths) await verifyPath(server, 'main', path);
    // An hour is over for all that was copied, and what the server remembers of where it was.
    await sleep(6000);
    await postgres.sql('update pack set keep_until = 0', new URL(ours).pathname.slice(1));
    await collectGarbage(server);
    expect(await atticNames()).toEqual([]);
    for (const path of paths) await verifyPath(server, 'main', path);
  });
});
