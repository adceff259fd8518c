import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import vectors from '../testdata/hashes.json' with { type: 'json' };
import { formatHash, formatSha256, parseHash, parseSha256 } from './index.ts';

for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512'] as const) {
  test(`${algorithm}: nix's three spellings`, () => {
    const digest = createHash(algorithm).update(vectors.of).digest();
    const { base16, base32, sri } = vectors[algorithm];

    expect(parseHash(`${algorithm}:${base16}`)).toEqual({ algorithm, digest });
    expect(parseHash(`${algorithm}:${base32}`)).toEqual({ algorithm, digest });
    expect(parseHash(sri)).toEqual({ algorithm, digest });
    expect(formatHash({ algorithm, digest }, 'hex')).toBe(`${algorithm}:${base16}`);
    expect(formatHash({ algorithm, digest }, 'base32')).toBe(`${algorithm}:${base32}`);
  });
}

test('hex is read in either case', () => {
  const upper = vectors.sha256.base16.toUpperCase();

  expect(parseSha256(`sha256:${upper}`).toString('hex')).toBe(vectors.sha256.base16);
});

test('parses what it formats', () => {
  const digests = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(digests, fc.constantFrom('hex', 'base32'), (digest, format) => {
      expect(parseSha256(formatSha256(digest, format))).toEqual(Buffer.from(digest));
    }),
  );
});

test('only SHA-256 where only that will do', () => {
  expect(() => parseSha256(`sha1:${vectors.sha1.base16}`)).toThrow('only SHA-256 is accepted here');
});

test.each([
  ['', 'it has to start with sha256:'],
  [vectors.sha256.base16, 'it has to start with sha256:'],
  ['toString:00', 'it has to start with sha256:'],
  ['sha256:', '0 characters do not make a sha256 digest'],
  [`sha256:${vectors.sha1.base16}`, '40 characters do not make a sha256 digest'],
  [`sha256:${'g'.repeat(64)}`, 'it has characters that are not hex'],
  [`sha256:${'e'.repeat(52)}`, "is not a character of Nix's base-32"],
  [`sha256-${vectors.sha256.base16}`, '64 characters do not make a sha256 digest'],
  // The last character may only be one that leaves the unused bits zero.
  [vectors.sha256.sri.replace('M=', 'N='), '44 characters do not make a sha256 digest'],
])('refuses %j', (text, message) => {
  expect(() => parseSha256(text)).toThrow(message);
});

test('does not format a digest of another length', () => {
  expect(() => formatSha256(Buffer.alloc(20), 'hex')).toThrow(
    'a sha256 digest has 32 bytes, not 20',
  );
});
