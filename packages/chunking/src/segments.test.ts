import { expect, test } from 'vitest';
import {
  decodeSegments,
  encodeSegments,
  SegmentList,
  sliceSegments,
  totalLength,
} from './index.ts';

test('neighbours in the same pack merge', () => {
  const list = new SegmentList();
  list.add({ pack: 1, offset: 0, length: 10 });
  list.add({ pack: 1, offset: 10, length: 5 });
  list.add({ pack: 1, offset: 20, length: 1 });
  list.add({ pack: 2, offset: 21, length: 4 });
  expect(list.segments).toEqual([
    { pack: 1, offset: 0, length: 15 },
    { pack: 1, offset: 20, length: 1 },
    { pack: 2, offset: 21, length: 4 },
  ]);
  expect(totalLength(list.segments)).toBe(20);
  expect(decodeSegments(encodeSegments(list.segments))).toEqual(list.segments);
});

test('a range takes its part of each segment', () => {
  const segments = [
    { pack: 1, offset: 100, length: 10 },
    { pack: 2, offset: 0, length: 10 },
    { pack: 3, offset: 50, length: 10 },
  ];
  expect(sliceSegments(segments, 0, 30)).toEqual(segments);
  expect(sliceSegments(segments, 5, 25)).toEqual([
    { pack: 1, offset: 105, length: 5 },
    { pack: 2, offset: 0, length: 10 },
    { pack: 3, offset: 50, length: 5 },
  ]);
  expect(sliceSegments(segments, 12, 13)).toEqual([{ pack: 2, offset: 2, length: 1 }]);
  expect(sliceSegments(segments, 30, 30)).toEqual([]);
});
