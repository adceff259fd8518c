import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { figure, startCacheProcess } from '@flywheel/testing';
import {
  createCache,
  destroyCache,
  missingPaths,
  status,
  uploadPath,
  verifyPath,
} from './attic-client.ts';
import { generatePath, realisticBytes, type GeneratedPath } from './sample-nars.ts';

const KILLS = 20;
const PARALLEL = 5;

let dataDir: string;
let paths: readonly GeneratedPath[];

/** Half of each path's bytes stand in other paths too, so that uploads depend on each other. */
async function makePaths(count: number): Promise<readonly GeneratedPath[]> {
  const made: GeneratedPath[] = [];
  for (let i = 0; i < count; i += 1) {
    const size = 512 * 1024 + ((i * 7919) % 12) * 256 * 1024;
    const shared = Math.floor(size / 2);
    made.push(
      await generatePath(`killed-${i}`, size, function* contents() {
        yield* realisticBytes(shared, `shared ${i % 4}`);
        yield* realisticBytes(size - shared, `own ${i}`);
      }),
    );
  }
  return made;
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'flywheel-kill-'));
  paths = await makePaths(60);
});

afterAll(() => rm(dataDir, { recursive: true, force: true }));

/**
 * Uploads until the server is gone; which failed is of no interest, what it then has is. Every
 * other time the moment is counted from the first finished upload, so that even on a slow machine
 * there is something present to verify.
 */
async function uploadUntilKilled(
  server: Awaited<ReturnType<typeof startCacheProcess>>,
  wanted: readonly GeneratedPath[],
  round: number,
): Promise<void> {
  const queue = [...wanted];
  const first = Promise.withResolvers<void>();
  const work = async (): Promise<void> => {
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      await uploadPath(server, 'main', path);
      first.resolve();
    }
  };
  const workers = Array.from({ length: PARALLEL }, () => work().catch(() => {}));
  if (round % 2 === 0) await first.promise;
  await sleep(Math.random() * 500);
  await server.kill();
  await Promise.all(workers);
}

async function packFiles(): Promise<readonly string[]> {
  const root = join(dataDir, 'packs');
  const files = await readdir(root, { recursive: true });
  return files.filter((file) => file.endsWith('.pack'));
}

test(`kill -9 at ${KILLS} random moments: what is reported present is intact`, async () => {
  let cutShort = 0;
  let verified = 0;
  for (let round = 0; round < KILLS; round += 1) {
    const server = await startCacheProcess({ dataDir });
    if (round === 0) await createCache(server, 'main');
    const missing = await missingPaths(server, 'main', paths);
    // The store fills up over the rounds; a third of it goes again, so that all rounds have work.
    if (missing.size < paths.length / 3) {
      await destroyCache(server, 'main');
      await createCache(server, 'main');
    }
    const absent = await missingPaths(server, 'main', paths);
    const wanted = paths.filter((path) => absent.has(path.hash));
    await uploadUntilKilled(server, wanted, round);

    await using again = await startCacheProcess({ dataDir });
    const after = await missingPaths(again, 'main', paths);
    if (after.size > 0) cutShort += 1;
    for (const path of paths) {
      if (after.has(path.hash)) continue;
      await verifyPath(again, 'main', path);
      verified += 1;
    }
  }
  // Kills that hit an idle server would prove nothing.
  figure('kill -9 during uploads', cutShort, 'kills', { min: KILLS / 2 });
  figure('paths present after a kill and intact', verified, 'paths', { min: KILLS / 2 });
});

test('the next push heals, and everything is then present and intact', async () => {
  await using server = await startCacheProcess({ dataDir });
  const absent = await missingPaths(server, 'main', paths);
  for (const path of paths) if (absent.has(path.hash)) await uploadPath(server, 'main', path);
  expect([...(await missingPaths(server, 'main', paths))]).toEqual([]);
  for (const path of paths) await verifyPath(server, 'main', path);
});

test('no file is left that nothing can reclaim', async () => {
  {
    await using server = await startCacheProcess({ dataDir });
    // The sweep of a start runs beside the first requests.
    await expect.poll(async () => readdir(join(dataDir, 'tmp'))).toEqual([]);
    await expect
      .poll(async () => (await status(server))['packs'] === (await packFiles()).length, {
        timeout: 20_000,
        interval: 500,
      })
      .toBe(true);
    await destroyCache(server, 'main');
  }
  await using server = await startCacheProcess({ dataDir });
  await expect.poll(packFiles, { timeout: 20_000, interval: 200 }).toEqual([]);
  expect(await status(server)).toMatchObject({ nars: 0, packs: 0, chunks: 0, storedBytes: 0 });
});
