import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { silentLogger } from '@flywheel/base';
import type { Metadata } from '../db/metadata.ts';
import { migrate } from '../db/migrations.ts';
import { createSqlMetadata } from '../db/sql-metadata.ts';
import { openSqlite } from '../db/sqlite.ts';
import type { RunContext, RunKind } from './run-kind.ts';
import { startRunLoop, type RunLoop, type RunLoopOptions } from './run-loop.ts';

let metadata: Metadata;
let loop: RunLoop | undefined;

beforeEach(async () => {
  const database = openSqlite(':memory:');
  await migrate(database);
  metadata = createSqlMetadata(database, { now: () => 1000 });
});
afterEach(async () => {
  await loop?.stop();
  await metadata.close();
});

const Options = z.object({ of: z.string() });

function kind(
  run: (options: z.infer<typeof Options>, context: RunContext) => Promise<unknown>,
  due?: { everyMs: number; options: { of: string }; firstAfterMs?: number },
): RunKind<z.infer<typeof Options>> {
  return {
    name: 'count',
    options: Options,
    permission: 'delete',
    exclusively: (work) => metadata.withMaintenanceLock('retention', work),
    run,
    hasDone: () => true,
    ...(due === undefined ? {} : { due }),
  };
}

function start(made: RunKind<z.infer<typeof Options>>, options: Partial<RunLoopOptions> = {}) {
  loop = startRunLoop(made, {
    metadata,
    logger: silentLogger,
    pollMs: undefined,
    dueAtStart: false,
    ...options,
  });
  return loop;
}

function ask(of: string) {
  return metadata.requestRun({ kind: 'count', options: { of }, requestedBy: 'ada' });
}

async function ended(count: number): Promise<readonly string[]> {
  for (;;) {
    const runs = await metadata.listRuns(10);
    const over = runs.filter(({ state }) => state === 'done' || state === 'failed');
    if (over.length === count) {
      return over.map(
        ({ state, result, error }) => `${state}: ${(result as string | undefined) ?? error}`,
      );
    }
    await sleep(5);
  }
}

test('what was asked for is done in order, and a failure is kept', async () => {
  await ask('one');
  await ask('two');
  const running = start(
    kind(async ({ of }) => {
      if (of === 'two') throw new Error('two is too much');
      return of;
    }),
  );
  expect(await ended(2)).toEqual(['failed: two is too much', 'done: one']);
  await ask('three');
  running.nudge();
  expect((await ended(3))[0]).toBe('done: three');
});

test('other processes are asked for by looking', async () => {
  start(
    kind(async ({ of }) => of),
    { pollMs: 5 },
  );
  await sleep(20);
  await ask('one');
  expect(await ended(1)).toEqual(['done: one']);
});

test('what is due by itself runs at the start, and not again before its time', async () => {
  const counting = kind(async ({ of }) => of, { everyMs: 60_000, options: { of: 'due' } });
  start(counting, { dueAtStart: true });
  expect(await ended(1)).toEqual(['done: due']);
  await loop?.stop();
  start(counting);
  await sleep(20);
  expect((await metadata.listRuns(10)).length).toBe(1);
});

test('what has never run waits until the process is old enough', async () => {
  const due = { everyMs: 500, options: { of: 'due' } };
  start(kind(async ({ of }) => of, { ...due, firstAfterMs: 60_000 }));
  await sleep(20);
  expect(await metadata.listRuns(10)).toEqual([]);
  await loop?.stop();
  start(kind(async ({ of }) => of, { ...due, firstAfterMs: 0 }));
  expect(await ended(1)).toEqual(['done: due']);
});

test('a run that is interrupted waits for the next process', async () => {
  const begun = Promise.withResolvers<void>();
  await ask('one');
  const stopping = start(
    kind(async (_, { signal }) => {
      begun.resolve();
      await sleep(60_000, undefined, { signal });
    }),
  );
  await begun.promise;
  await stopping.stop();
  expect(await metadata.listRuns(10)).toMatchObject([{ state: 'waiting', attempts: 0 }]);
  start(kind(async ({ of }) => of));
  expect(await ended(1)).toEqual(['done: one']);
});

test('a run whose process died is taken up, five times', async () => {
  await ask('one');
  for (let attempt = 0; attempt < 5; attempt += 1) await metadata.takeRun('count');
  start(kind(async ({ of }) => of));
  expect((await ended(1))[0]).toMatch(/^failed: it was interrupted 5 times/);
});
