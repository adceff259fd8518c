import { expect, test } from 'vitest';
import { maskSecrets, secretIn } from './secret-values.ts';

// Put together here, so that scanners of this repository find nothing.
const SECRETS: readonly (readonly [text: string, what: string])[] = [
  [`glpat-${'a1B2'.repeat(5)}`, 'a token of GitLab'],
  [`glrt-t1_${'a1B2'.repeat(5)}`, 'a token of GitLab'],
  [`ghp_${'a1B2'.repeat(9)}`, 'a token of GitHub'],
  [`AKIA${'A1B2'.repeat(4)}`, 'an access key of AWS'],
  [`eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.${'c'.repeat(20)}`, 'a JSON Web Token'],
  ['postgresql://flywheel:hunter2@db.example.org/cache', 'a URL with a password'],
  [`cache.example.org-1:${'A'.repeat(86)}==`, 'a secret key of Nix'],
  [
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn\n-----END OPENSSH PRIVATE KEY-----',
    'a private key',
  ],
  [`AGE-SECRET-KEY-1${'Q'.repeat(58)}`, 'a secret key of age'],
];

test('secrets are told by how they begin', () => {
  for (const [text, what] of SECRETS) expect(`${text}: ${secretIn(text)}`).toBe(`${text}: ${what}`);
});

test('names, public keys and URLs are none', () => {
  for (const text of [
    'flywheel-cache-keys',
    'https://user@example.org/path',
    'cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=',
    'postgresql://db.example.org:5432/cache',
    `sha256:${'0a'.repeat(32)}`,
    '-----BEGIN CERTIFICATE-----',
  ]) {
    expect(secretIn(text)).toBeUndefined();
  }
});

test('what is masked keeps its lines and columns', () => {
  expect(maskSecrets('a: glpat-aaaaaaaaaaaaaaaaaaaa # b')).toBe(`a: ${'•'.repeat(26)} # b`);
  const key = '-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----';
  expect(maskSecrets(`${key}\nb`)).toBe(`${'•'.repeat(27)}\n•••\n${'•'.repeat(25)}\nb`);
});
