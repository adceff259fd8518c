import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRange } from './range.ts';

test.each([
  [undefined, undefined],
  ['bytes=0-0', { start: 0, end: 1 }],
  ['bytes=5-', { start: 5, end: 10 }],
  ['bytes=-3', { start: 7, end: 10 }],
  ['bytes=-30', { start: 0, end: 10 }],
  ['bytes=2-900', { start: 2, end: 10 }],
  ['bytes = 2 - 3', { start: 2, end: 4 }],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=-', undefined],
  ['bytes=3-2', undefined],
  ['bytes=0-1,2-3', undefined],
  ['bytes=a-b', undefined],
  ['items=0-1', undefined],
  ['', undefined],
] as const)('%s', (header, expected) => {
  expect(parseRange(header, 10)).toEqual(expected);
});

test('whatever the header, the range lies in the body', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(1000), (text, size) => {
      const range = parseRange(`bytes=${text}`, size);
      if (range === undefined || range === 'unsatisfiable') return true;
      return range.start >= 0 && range.start < range.end && range.end <= size;
    }),
  );
});
