import { expect, test } from 'vitest';
import { remoteFileOf, textsOf, timeOf } from './attic-values.ts';

test.each([
  ['2024-05-06 07:08:09.123456789 +00:00', Date.UTC(2024, 4, 6, 7, 8, 9, 123)],
  ['2024-05-06T07:08:09.123456789+00:00', Date.UTC(2024, 4, 6, 7, 8, 9, 123)],
  ['2024-05-06T09:08:09+02:00', Date.UTC(2024, 4, 6, 7, 8, 9)],
  ['2024-05-06 07:08:09', Date.UTC(2024, 4, 6, 7, 8, 9)],
  [new Date(1_700_000_000_123), 1_700_000_000_123],
  [null, undefined],
  ['yesterday', undefined],
])('the time %s', (value, expected) => {
  expect(timeOf(value)).toBe(expected);
});

test('lists come as text or as a value; what is no list of strings is none', () => {
  expect(textsOf('["a","b"]')).toEqual(['a', 'b']);
  expect(textsOf(['a'])).toEqual(['a']);
  expect(textsOf('[1]')).toBeUndefined();
  expect(textsOf('[')).toBeUndefined();
  expect(textsOf(null)).toBeUndefined();
});

test('places of objects', () => {
  expect(remoteFileOf('{"Local":{"name":"x.chunk"}}')).toEqual({ kind: 'folder', name: 'x.chunk' });
  expect(remoteFileOf('{"S3":{"region":"eu","bucket":"b","key":"x.chunk"}}')).toEqual({
    kind: 's3',
    region: 'eu',
    bucket: 'b',
    name: 'x.chunk',
  });
  expect(remoteFileOf('{"Http":{"url":"https://example.org/x"}}')).toBeUndefined();
  expect(remoteFileOf('nothing')).toBeUndefined();
});
