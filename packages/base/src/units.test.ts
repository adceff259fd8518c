import { expect, test } from 'vitest';
import { formatBytes, formatDuration, parseBytes, parseDuration } from './index.ts';

test('bytes are written in binary units', () => {
  expect(formatBytes(0)).toBe('0 B');
  expect(formatBytes(1536)).toBe('1.5 KiB');
  expect(formatBytes(1024 ** 2 - 1)).toBe('1.0 MiB');
  expect(formatBytes(5 * 1024 ** 4)).toBe('5.0 TiB');
});

test('sizes are read with and without a unit, and nothing else is', () => {
  expect(parseBytes('4096')).toBe(4096);
  expect(parseBytes('10GiB')).toBe(10 * 1024 ** 3);
  expect(parseBytes('1.5 kib')).toBe(1536);
  expect(() => parseBytes('10 GB')).toThrow('"10 GB" is not a size');
});

test('durations', () => {
  expect(parseDuration('90s')).toBe(90_000);
  expect(parseDuration('1d12h')).toBe(129_600_000);
  expect(() => parseDuration('soon')).toThrow('"soon" is not a duration');
  expect(formatDuration(850)).toBe('850 ms');
  expect(formatDuration(3200)).toBe('3.2 s');
  expect(formatDuration(245_000)).toBe('4 min 5 s');
});
