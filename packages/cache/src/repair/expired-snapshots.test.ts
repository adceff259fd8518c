import { expect, test } from 'vitest';
import { expiredSnapshots } from './expired-snapshots.ts';

const key = (day: number, hour: number): string =>
  `snapshots/202611${String(day).padStart(2, '0')}T${String(hour).padStart(2, '0')}0000Z-${'0'.repeat(16)}.jsonl.zst`;

test('the newest three stay, and the newest of each of seven days', () => {
  const days = Array.from({ length: 10 }, (_, i) => i + 1);
  const keys = days.flatMap((day) => [key(day, 1), key(day, 2), key(day, 3), key(day, 4)]);
  const expired = new Set(expiredSnapshots(keys));
  expect(keys.filter((each) => !expired.has(each))).toEqual([
    key(4, 4),
    key(5, 4),
    key(6, 4),
    key(7, 4),
    key(8, 4),
    key(9, 4),
    key(10, 2),
    key(10, 3),
    key(10, 4),
  ]);
});

test('few snapshots all stay', () => {
  expect(expiredSnapshots([])).toEqual([]);
  expect(expiredSnapshots([key(1, 1), key(1, 2), key(1, 3)])).toEqual([]);
});
