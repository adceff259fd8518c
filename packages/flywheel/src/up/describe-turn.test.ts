import { expect, test } from 'vitest';
import { describeTurn } from './describe-turn.ts';

const MIB = 1024 ** 2;
const FED = {
  paths: 21,
  bytes: 155 * MIB,
  uploaded: 1,
  uploadedBytes: 10 * MIB,
  deduplicatedBytes: 2.5 * MIB,
  storedBytes: 3 * MIB,
  present: 20,
  upstream: 0,
  verified: 21,
  problems: [],
};

test('a turn is told with paths, bytes, what was saved and how long it took', () => {
  expect(describeTurn({ ok: true, seconds: 4.2, fed: FED, problems: [] })).toEqual([
    ['packed', '21 paths, 155.0 MiB'],
    ['uploaded', '1 path, 10.0 MiB → 3.0 MiB stored'],
    ['deduplicated', '2.5 MiB (25.0 %)'],
    ['already there', '20 paths'],
    ['pulled back', '21 paths, each NAR hash and signature verified'],
    ['took', '4.2 s'],
  ]);
});

test('a turn in which nothing had to be uploaded divides by nothing', () => {
  const idle = { ...FED, uploaded: 0, uploadedBytes: 0, deduplicatedBytes: 0, upstream: 3 };
  const rows = describeTurn({ ok: true, seconds: 1, fed: idle, problems: [] });
  expect(rows.slice(1, 5)).toEqual([
    ['uploaded', '0 paths'],
    ['deduplicated', '0 B'],
    ['already there', '20 paths'],
    ['in upstream caches', '3 paths'],
  ]);
});

test('of a turn that did not get so far, only the time is known', () => {
  expect(describeTurn({ ok: false, seconds: 0.25, problems: [] })).toEqual([['took', '250 ms']]);
});
