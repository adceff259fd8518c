import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { isMissing } from '@flywheel/testing';
import type { CacheProcess } from '@flywheel/testing';
import { createCache, missingPaths, uploadPath, verifyPath } from './attic-client.ts';
import { openBackend, type Backend, type Combination } from './backends.ts';
import { generatePath, realisticBytes, type GeneratedPath } from './sample-nars.ts';

const MIB = 1024 ** 2;

const COMBINATIONS: readonly Combination[] = [
  { database: 'SQLite', packs: 'a folder' },
  { database: 'PostgreSQL', packs: 'Versity' },
];

for (const combination of COMBINATIONS) {
  const found = await openBackend(combination);
  describe(`${combination.database} and ${combination.packs}`, () => {
    if (isMissing(found)) test('all of it', ({ skip }) => skip(found.missing));
    else declareTests(found);
  });
}

/** Paths of which each shares most of its bytes with the others. */
function family(count: number, called = 'member'): Promise<readonly GeneratedPath[]> {
  const names = Array.from({ length: count }, (_, i) => `${called}-${i}`);
  return Promise.all(
    names.map((name) =>
      generatePath(name, 3 * MIB, function* contents() {
        yield* realisticBytes(MIB, 'beginning');
        yield* realisticBytes(MIB, name);
        yield* realisticBytes(MIB, 'end');
      }),
    ),
  );
}

interface Run {
  readonly id: number;
  readonly state: string;
  readonly error: string | null;
  readonly attempts?: number;
  readonly progress: { readonly done?: number } | null;
  readonly result: Readonly<Record<string, unknown>>;
}

async function api(server: CacheProcess, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(new URL(`_flywheel/v1/${path}`, server.url), {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${server.adminToken}`,
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

async function ended(server: CacheProcess, id: number): Promise<Run['result']> {
  for (;;) {
    const run = (await api(server, `runs/${id}`)) as Run;
    if (run.state === 'failed') throw new Error(String(run.error));
    if (run.state === 'done') return run.result;
    await sleep(50);
  }
}

async function run(server: CacheProcess, kind: string, options: object = {}) {
  const { id } = (await api(server, 'runs', { kind, ...options })) as Run;
  return ended(server, id);
}

function declareTests(backend: Backend): void {
  afterAll(() => backend[Symbol.asyncDispose]());
  const scrub = { rate: 1e9 };

  test('flipped bits are found, never served after that, and healed by a push', async () => {
    const paths = await family(6);
    await using server = await backend.start();
    await createCache(server, 'main');
    for (const path of paths) await uploadPath(server, 'main', path);
    for (let round = 0; round < 4; round += 1) {
      for (const key of await backend.packs()) {
        const at = randomInt(2 ** 31);
        await backend.damagePack(key, at);
      }
      await run(server, 'scrub', scrub);
      const missing = await missingPaths(server, 'main', paths);
      for (const path of paths) {
        if (!missing.has(path.hash)) await verifyPath(server, 'main', path);
      }
      for (const path of paths) {
        if (missing.has(path.hash)) await uploadPath(server, 'main', path);
      }
      for (const path of paths) await verifyPath(server, 'main', path);
      expect([...(await missingPaths(server, 'main', paths))]).toEqual([]);
    }
    await run(server, 'retention');
  });

  test('a scrub whose process is killed goes on where it was', async () => {
    const first = await backend.start();
    // Slow enough to be met in the middle.
    const { id } = (await api(first, 'runs', { kind: 'scrub', rate: 2 * MIB })) as Run;
    const progress = async () => ((await api(first, `runs/${id}`)) as Run).progress?.done ?? 0;
    await expect.poll(progress, { timeout: 30_000, interval: 50 }).toBeGreaterThan(1);
    const done = await progress();
    await first.kill();
    await using server = await backend.start();
    const found = await ended(server, id);
    expect(done).toBeGreaterThan(1);
    // All of them once: those of before the kill are not read again.
    expect(found).toMatchObject({ damaged_packs: 0, damaged_nars: 0 });
    const all = await run(server, 'scrub', { ...scrub, deep: true });
    expect(found['packs']).toBe(all['packs']);
    expect(all).toMatchObject({ damaged_packs: 0, damaged_nars: 0 });
  });

  test('a database that is lost is made anew, and every path with it', async () => {
    const paths = await family(6, 'late');
    const first = await backend.start();
    for (const path of paths) await uploadPath(first, 'main', path);
    expect(await run(first, 'snapshot')).toMatchObject({ removed: 0 });
    await first[Symbol.asyncDispose]();
    await backend.loseDatabase();
    const rebuilt = JSON.parse(await backend.run(['cache', 'rebuild', '--json'])) as object;
    // A flipped bit in what an index says of its NAR is harmless until now: one of the members may be
    // missing. What was pushed since is not.
    expect(rebuilt).toMatchObject({ caches: ['main'], newKeys: [], damagedSnapshots: [] });
    await using server = await backend.start();
    for (const path of paths) await verifyPath(server, 'main', path);
    expect([...(await missingPaths(server, 'main', paths))]).toEqual([]);
    expect(await run(server, 'scrub', { ...scrub, deep: true })).toMatchObject({ faults: [] });
  });
}
