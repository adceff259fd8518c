import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import type { Cache, Metadata } from '../db/metadata.ts';
import { ReferenceGraph } from './reference-graph.ts';
import { settleMarks, type Marks } from './settle-marks.ts';

const SETTLE_MS = 50;
const LIB = '1'.repeat(32);
const APP = '2'.repeat(32);

let graph: ReferenceGraph;
let kept: Uint8Array;
let looks: number;
let pushed: { storePathHash: string; references: string[]; pushedAt: number }[];
let marks: Marks;

beforeEach(() => {
  graph = new ReferenceGraph();
  for (const [storePathHash, references] of [
    [LIB, []],
    [APP, [`${LIB}-lib`]],
  ] as const) {
    graph.add({ storePathHash, references, narId: 1, narSize: 1, fileSize: 1, lastUsedAt: 1 });
  }
  kept = new Uint8Array(graph.size);
  looks = 0;
  pushed = [];
  const metadata: Pick<Metadata, 'currentTime' | 'pushedAfter'> = {
    currentTime: async () => 1_000_000,
    async pushedAfter() {
      looks += 1;
      return pushed;
    },
  };
  marks = settleMarks(
    {
      metadata: metadata as Metadata,
      cache: { id: 1 } as Cache,
      settleMs: SETTLE_MS,
      pace: { rest: async () => {} },
      signal: new AbortController().signal,
    },
    { graph, time: 900_000 },
  );
});

test('batches marked in the same second settle together, with one look at pushes', async () => {
  marks.add();
  await sleep(100);
  marks.add();
  const startedAt = performance.now();
  expect(await marks.settled(0, kept)).toBe(1_000_000 - SETTLE_MS);
  expect(performance.now() - startedAt).toBeGreaterThan(SETTLE_MS);
  await marks.settled(1, kept);
  expect(looks).toBe(1);
});

test('a push between two that are further apart keeps the closure of what it refers to', async () => {
  marks.add();
  await sleep(1200);
  marks.add();
  await marks.settled(0, kept);
  expect([...kept]).toEqual([0, 0]);
  pushed = [{ storePathHash: '3'.repeat(32), references: [`${APP}-app`], pushedAt: 1_000_000 }];
  await marks.settled(1, kept);
  expect([...kept]).toEqual([1, 1]);
  expect(looks).toBe(2);
});
