import { expect, test } from 'vitest';
import { parseValidity } from './validity.ts';

const DAY_MS = 86_400_000;

test.each([
  ['30d', 30 * DAY_MS],
  ['1 day 12 hours', 1.5 * DAY_MS],
  ['90 seconds', 90_000],
  ['3 months', 7_890_048_000],
  ['1M', 2_630_016_000],
  ['1m', 60_000],
  ['2y', 63_115_200_000],
  ['1 year 1 month', 31_557_600_000 + 2_630_016_000],
])('%s', (text, ms) => {
  expect(parseValidity(text)).toBe(ms);
});

test.each(['', '30', 'd', '3 moons', '1d!', '-1d', '0s', '1month2'])('%j is refused', (text) => {
  expect(() => parseValidity(text)).toThrow(/valid/);
});
