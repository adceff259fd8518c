import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatKeyPath, parseKeyPath } from './key-path.ts';

test('keys are written with dots, and with brackets where dots will not do', () => {
  expect(formatKeyPath(['runners', 'docker', 'tags', 0])).toBe('runners.docker.tags[0]');
  expect(formatKeyPath(['nodeSelector', 'kubernetes.io/arch'])).toBe(
    'nodeSelector["kubernetes.io/arch"]',
  );
  expect(parseKeyPath('networkPolicy.egress[gitlab].ports')).toEqual([
    'networkPolicy',
    'egress',
    'gitlab',
    'ports',
  ]);
});

test('what is no key says so', () => {
  for (const text of ['', 'a..b', 'a.', '.a b]', 'a[', 'a["b]', 'a["\\x"]']) {
    expect(() => parseKeyPath(text)).toThrow(`"${text}" is no key`);
  }
});

test('what is written is read back', () => {
  const step = fc.oneof(fc.string({ minLength: 1 }), fc.nat(99));
  const path = fc.tuple(fc.constantFrom('cache', 'a-b'), fc.array(step)).map(([a, b]) => [a, ...b]);
  fc.assert(
    fc.property(path, (keys) => {
      expect(parseKeyPath(formatKeyPath(keys))).toEqual(keys);
    }),
  );
});
