import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFileName, encodeFileName } from './index.ts';

test('names are UTF-8', () => {
  expect(decodeFileName(Buffer.from('6e61c3af7665', 'hex'))).toBe('naïve');
  expect(encodeFileName('🚀')).toEqual(Buffer.from('f09f9a80', 'hex'));
});

test('bytes that are not UTF-8 become lone surrogates', () => {
  expect(decodeFileName(Buffer.from('6fc3ff6b', 'hex'))).toBe('o\udcc3\udcffk');
  expect(encodeFileName('o\udcc3\udcffk')).toEqual(Buffer.from('6fc3ff6b', 'hex'));
  // A UTF-16 surrogate written in UTF-8 style is not UTF-8.
  expect(decodeFileName(Buffer.from('eda080', 'hex'))).toBe('\udced\udca0\udc80');
});

test('any bytes survive', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text).subarray(0, -1)),
  );
  fc.assert(
    fc.property(bytes, (bytes) => {
      expect(encodeFileName(decodeFileName(bytes))).toEqual(Buffer.from(bytes));
    }),
  );
});
