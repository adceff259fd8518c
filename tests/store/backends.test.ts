import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { isMissing } from '@flywheel/testing';
import type { CacheProcess } from '@flywheel/testing';
import {
  collectGarbage,
  createCache,
  destroyCache,
  getNar,
  missingPaths,
  status,
  uploadPath,
  verifyPath,
} from './attic-client.ts';
import { openBackend, type Backend, type Combination } from './backends.ts';
import { generatePath, realisticBytes, type GeneratedPath } from './sample-nars.ts';

const MIB = 1024 ** 2;

/** Every pair, and the server that many know S3 by. */
const COMBINATIONS: readonly Combination[] = [
  { database: 'SQLite', packs: 'a folder' },
  { database: 'SQLite', packs: 'Versity' },
  { database: 'PostgreSQL', packs: 'a folder' },
  { database: 'PostgreSQL', packs: 'Versity' },
  { database: 'PostgreSQL', packs: 'MinIO' },
];

for (const combination of COMBINATIONS) {
  const found = await openBackend(combination);
  describe(`${combination.database} and ${combination.packs}`, () => {
    if (isMissing(found)) test('all of it', ({ skip }) => skip(found.missing));
    else declareTests(found);
  });
}

/** Two versions of a path, most of whose bytes are the same. */
function versions(): Promise<readonly GeneratedPath[]> {
  const make = (name: string) =>
    generatePath(name, 12 * MIB, function* contents() {
      yield* realisticBytes(4 * MIB, 'beginning');
      yield* realisticBytes(MIB, name);
      yield* realisticBytes(7 * MIB, 'end');
    });
  return Promise.all([make('one'), make('two')]);
}

/** A path whose pack is as large as it is, and so takes a while. */
function incompressible(size: number): Promise<GeneratedPath> {
  const bytes = randomBytes(size);
  return generatePath('noise', size, () => [bytes]);
}

function declareTests(backend: Backend): void {
  afterAll(() => backend[Symbol.asyncDispose]());

  /** In order: each takes up what the one before has left. */
  function withServer(name: string, work: (server: CacheProcess) => Promise<void>): void {
    test(name, async () => {
      await using server = await backend.start();
      await work(server);
    });
  }

  withServer(
    'a push comes back, as a whole and in parts, and the like of it is not stored again',
    async (server) => {
      const [one, two] = await versions();
      await createCache(server, 'main');
      await uploadPath(server, 'main', one!);
      const { storedBytes: before } = (await status(server)) as { storedBytes: number };
      await uploadPath(server, 'main', two!);
      const { storedBytes: after } = (await status(server)) as { storedBytes: number };
      expect((after - before) / before).toBeLessThan(0.25);
      expect(await backend.packs()).toHaveLength(2);

      for (const path of [one!, two!]) {
        await verifyPath(server, 'main', path);
        const whole = await getNar(server, 'main', path);
        for (const [start, end] of [
          [0, 1],
          [1000, 3 * MIB],
          [whole.length - 5, whole.length],
        ] as const) {
          const part = await getNar(server, 'main', path, { Range: `bytes=${start}-${end - 1}` });
          expect(part.equals(whole.subarray(start, end))).toBe(true);
        }
      }
    },
  );

  withServer('after a start all is there; what is destroyed is reclaimed', async (server) => {
    const paths = await versions();
    for (const path of paths) await verifyPath(server, 'main', path);
    await destroyCache(server, 'main');
    await server[Symbol.asyncDispose]();
    await using again = await backend.start();
    await collectGarbage(again);
    expect(await backend.packs()).toEqual([]);
    expect(await status(again)).toMatchObject({ nars: 0, packs: 0, chunks: 0, storedBytes: 0 });
  });

  withServer(
    'a pack that is gone makes its paths missing, and the next push heals',
    async (server) => {
      const paths = await versions();
      await createCache(server, 'main');
      await uploadPath(server, 'main', paths[0]!);
      const [shared, ...more] = await backend.packs();
      expect(more).toEqual([]);
      await uploadPath(server, 'main', paths[1]!);
      await backend.removePack(shared!);

      await expect(getNar(server, 'main', paths[1]!)).rejects.toThrow('IncompleteNar');
      const missing = await missingPaths(server, 'main', paths);
      expect([...missing].toSorted()).toEqual(paths.map(({ hash }) => hash).toSorted());

      for (const path of paths) await uploadPath(server, 'main', path);
      for (const path of paths) await verifyPath(server, 'main', path);
    },
  );

  withServer(
    'a kill in the middle of a push leaves nothing that reclaim does not find',
    async (server) => {
      const packs = await backend.packs();
      const noise = await incompressible(48 * MIB);
      const pushed = uploadPath(server, 'main', noise).catch((error: unknown) => error);
      await expect.poll(() => backend.unfinished(), { timeout: 20_000, interval: 5 }).toBe(1);
      await server.kill();
      expect(await pushed).toBeInstanceOf(Error);
      expect(await backend.unfinished()).toBe(1);

      await backend.expireLeases();
      await using again = await backend.start();
      await collectGarbage(again);
      expect(await backend.unfinished()).toBe(0);
      expect((await backend.packs()).toSorted()).toEqual(packs.toSorted());
      expect([...(await missingPaths(again, 'main', [noise]))]).toEqual([noise.hash]);
      await uploadPath(again, 'main', noise);
      await verifyPath(again, 'main', noise);
    },
  );
}
