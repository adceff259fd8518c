import { expect, test } from 'vitest';
import { isSignature, mergeSignatures } from './signature.ts';

const BYTES = Buffer.alloc(64, 7).toString('base64');

test('a signature is a name and 64 bytes, in one line', () => {
  expect(isSignature(`cache.nixos.org-1:${BYTES}`)).toBe(true);
  for (const text of [
    BYTES,
    `:${BYTES}`,
    `a b:${BYTES}`,
    `a:${BYTES}\n`,
    ` a:${BYTES}`,
    `a:b:${BYTES}`,
    `a:${Buffer.alloc(63).toString('base64')}`,
    `a:${Buffer.alloc(65).toString('base64')}`,
    // The last character has bits that belong to no byte.
    `a:${BYTES.slice(0, -3)}x==`,
    `${'a'.repeat(256)}:${BYTES}`,
    '',
  ]) {
    expect(isSignature(text), JSON.stringify(text)).toBe(false);
  }
});

test('signatures are merged without repetition, up to a bound', () => {
  expect(mergeSignatures(['b', 'a'], ['c', 'a'], 3)).toEqual(['b', 'a', 'c']);
  expect(mergeSignatures(['b', 'a'], ['c', 'd'], 3)).toEqual(['b', 'a', 'c']);
});
