import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase32, encodeBase32 } from './index.ts';

test('encodes as nix does', () => {
  const digest = Buffer.from(
    '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
    'hex',
  );

  expect(encodeBase32(digest)).toBe('00xyyr3fi8l6hb839bv3f7yb86yjv7xi1cgh1xnhipym4asvb4aq');
  expect(encodeBase32(Buffer.of(255))).toBe('7z');
  expect(encodeBase32(Buffer.of())).toBe('');
});

test('decodes what it encodes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      expect(decodeBase32(encodeBase32(bytes))).toEqual(Buffer.from(bytes));
    }),
  );
});

test('refuses letters that Nix leaves out, and everything else', () => {
  for (const letter of ['e', 'o', 't', 'u', 'A', ' ', 'é', '\u{1f680}'.slice(0, 1)]) {
    expect(() => decodeBase32(`0${letter}`)).toThrow("is not a character of Nix's base-32");
  }
});

test('refuses a second spelling of the same bytes', () => {
  expect(decodeBase32('7z')).toEqual(Buffer.of(255));
  expect(() => decodeBase32('8z')).toThrow('"8z" is not base-32: unused bits are set');
  expect(() => decodeBase32('zz')).toThrow('unused bits are set');
});

test('refuses lengths that no bytes have', () => {
  expect(() => decodeBase32('0')).toThrow('no number of bytes makes 1 base-32 characters');
  expect(() => decodeBase32('0'.repeat(51))).toThrow('makes 51 base-32');
  expect(decodeBase32('0'.repeat(52))).toEqual(Buffer.alloc(32));
});
