import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatContentAddress, parseContentAddress } from './index.ts';
import type { ContentAddress } from './index.ts';

const LENGTHS = { md5: 16, sha1: 20, sha256: 32, sha512: 64 } as const;

test('parses what it formats', () => {
  const hashes = fc
    .constantFrom('md5', 'sha1', 'sha256', 'sha512')
    .chain((algorithm) =>
      fc
        .uint8Array({ minLength: LENGTHS[algorithm], maxLength: LENGTHS[algorithm] })
        .map((digest) => ({ algorithm, digest: Buffer.from(digest) })),
    );
  fc.assert(
    fc.property(fc.constantFrom('flat', 'recursive', 'git'), hashes, (method, hash) => {
      const address: ContentAddress = { method, hash };
      expect(parseContentAddress(formatContentAddress(address))).toEqual(address);
    }),
  );
});

test('hex is read too', () => {
  const { method, hash } = parseContentAddress(
    'fixed:r:sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
  );

  expect(method).toBe('recursive');
  expect(hash.digest.toString('base64')).toBe('WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=');
});

test.each([
  ['', 'it has to start with text: or fixed:'],
  ['source:sha256:00', 'it has to start with text: or fixed:'],
  ['fixed:r:', 'is not a hash'],
  ['fixed:x:sha256:00', 'is not a hash'],
  ['text:sha1:iwjz551fyw0cxcjgf4l6c879zabd6wpm', 'text is hashed with sha256'],
])('refuses %j', (text, message) => {
  expect(() => parseContentAddress(text)).toThrow(message);
});
