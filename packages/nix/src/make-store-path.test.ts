import { expect, test } from 'vitest';
import vectors from '../testdata/store-paths.json' with { type: 'json' };
import {
  formatContentAddress,
  makeFixedOutputPath,
  makeStorePath,
  makeTextPath,
  parseContentAddress,
  parseStorePath,
} from './index.ts';

test.each(vectors)('$path follows from $ca', ({ path, ca, references, selfReference = false }) => {
  const { name } = parseStorePath(path);
  const { method, hash } = parseContentAddress(ca);

  const made =
    method === 'text'
      ? makeTextPath({ hash: hash.digest, name, references })
      : makeFixedOutputPath({
          method,
          hash: hash.digest,
          algorithm: hash.algorithm,
          name,
          references,
          selfReference,
        });

  expect(made).toBe(path);
  expect(formatContentAddress({ method, hash })).toBe(ca);
});

test('references count as a set', () => {
  const a = '/nix/store/430rksy9dxpyl50zs25x2fd6w89wfddx-a';
  const b = '/nix/store/x0nkzf5r7sqa6b8js49dhzpmns6jn6lm-note';
  const make = (references: readonly string[]): string =>
    makeTextPath({ hash: Buffer.alloc(32), name: 'x', references });

  expect(make([b, a, b])).toBe(make([a, b]));
  expect(make([a])).not.toBe(make([a, b]));
});

test('the store folder is part of the hash', () => {
  const options = { type: 'source', innerHash: Buffer.alloc(32), name: 'x' };

  expect(parseStorePath(makeStorePath({ ...options, storeDir: '/gnu/store' })).hash).not.toBe(
    parseStorePath(makeStorePath(options)).hash,
  );
});

test('refuses what Nix could not have made', () => {
  const hash = Buffer.alloc(32);
  const references = ['/nix/store/430rksy9dxpyl50zs25x2fd6w89wfddx-a'];

  expect(() => makeFixedOutputPath({ method: 'flat', hash, name: 'x', references })).toThrow(
    'only a recursive sha256 may have references',
  );
  expect(() => makeFixedOutputPath({ method: 'flat', hash, algorithm: 'sha1', name: 'x' })).toThrow(
    'a sha1 digest has 20 bytes, not 32',
  );
  expect(() => makeTextPath({ hash, name: 'a/b', references: [] })).toThrow(
    'cannot make a store path for "a/b"',
  );
  expect(() => makeTextPath({ hash, name: 'x', references, storeDir: '/gnu/store' })).toThrow(
    'is not in /gnu/store',
  );
});
