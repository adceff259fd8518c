import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatStorePath, isStoreBaseName, isStorePathHash, parseStorePath } from './index.ts';

const HASH = 'xcp9cav49dmsjbwdjlmkjxj10gkpx553';

test('takes a store path apart', () => {
  expect(parseStorePath(`/nix/store/${HASH}-hello-2.10`)).toEqual({
    storeDir: '/nix/store',
    hash: HASH,
    name: 'hello-2.10',
    baseName: `${HASH}-hello-2.10`,
  });
  expect(parseStorePath(`/home/ann/store dir/${HASH}-x`).storeDir).toBe('/home/ann/store dir');
});

test.each([
  ['', 'it is not an absolute path'],
  [`${HASH}-hello`, 'it is not an absolute path'],
  [`/${HASH}-hello`, 'it is not an absolute path'],
  [`/nix/store/${HASH}-hello/`, 'does not start with a hash'],
  [`/nix/store/${HASH}-hello/bin/hello`, 'does not start with a hash'],
  [`/nix/store/${HASH.replace('x', 'e')}-hello`, 'does not start with a hash'],
  [`/nix/store/${HASH}`, 'the hash is not followed by "-"'],
  [`/nix/store/${HASH}x-hello`, 'the hash is not followed by "-"'],
  [`/nix/store/${HASH}-`, 'nothing follows the hash'],
  [`/nix/store/${HASH}-a b`, 'characters other than'],
  [`/nix/store/${HASH}-a\n`, 'characters other than'],
  [`/nix/store/${HASH}-${'a'.repeat(212)}`, 'its name has 212 characters'],
  [`/nix//store/${HASH}-hello`, 'it has empty, "." or ".." components'],
  [`/nix/../store/${HASH}-hello`, 'it has empty, "." or ".." components'],
  [`/nix/store\nSig: x/${HASH}-hello`, 'it has control characters'],
])('refuses %j', (path, message) => {
  expect(() => parseStorePath(path)).toThrow(message);
});

test.each(['.', '..', '.-x', '..-x', ''])('the name %j is refused, as by current Nix', (name) => {
  expect(isStoreBaseName(`${HASH}-${name}`)).toBe(false);
});

test.each(['...', '.a', '..a', '.hidden', '-', 'a+b-c._?=Z9', 'a'.repeat(211)])(
  'the name %j is accepted',
  (name) => {
    expect(isStoreBaseName(`${HASH}-${name}`)).toBe(true);
  },
);

test('hashes', () => {
  expect(isStorePathHash(HASH)).toBe(true);
  expect(isStorePathHash(HASH.slice(1))).toBe(false);
  expect(isStorePathHash(`${HASH}0`)).toBe(false);
  expect(isStorePathHash(`${HASH}\n`)).toBe(false);
  expect(isStorePathHash(HASH.toUpperCase())).toBe(false);
});

test('formats what it parses', () => {
  const paths = fc.tuple(
    fc.stringMatching(/^(\/[a-z0-9]{1,8}){1,3}$/),
    fc.stringMatching(/^[0-9abcdfghijklmnpqrsvwxyz]{32}$/),
    fc.stringMatching(/^[0-9A-Za-z+\-_?=][0-9A-Za-z+\-._?=]{0,40}$/),
  );
  fc.assert(
    fc.property(paths, ([storeDir, hash, name]) => {
      const path = `${storeDir}/${hash}-${name}`;
      expect(formatStorePath(parseStorePath(path))).toBe(path);
      expect(parseStorePath(path).name).toBe(name);
    }),
  );
});
