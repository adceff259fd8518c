import { expect, test } from 'vitest';
import { planReads } from './read-plan.ts';

const KIB = 1024;

test('two packs that take turns are each read to their end', () => {
  const plan = planReads([
    { pack: 1, offset: 0, length: 100 },
    { pack: 2, offset: 0, length: 10 },
    { pack: 1, offset: 130, length: 100 },
    { pack: 2, offset: 10, length: 5 },
    { pack: 1, offset: 230, length: 70 },
  ]);
  expect(plan.map(({ pack, until }) => [pack, until])).toEqual([
    [1, 300],
    [2, 15],
    [1, 300],
    [2, 15],
    [1, 300],
  ]);
});

test('a gap that is too large, and a step back, begin anew', () => {
  const plan = planReads([
    { pack: 1, offset: 500 * KIB, length: 100 },
    { pack: 1, offset: 0, length: KIB },
    { pack: 1, offset: 129 * KIB, length: KIB },
    { pack: 1, offset: 258 * KIB + 1, length: KIB },
  ]);
  expect(plan.map(({ until }) => until)).toEqual([
    500 * KIB + 100,
    130 * KIB,
    130 * KIB,
    259 * KIB + 1,
  ]);
});
