import { expect, test } from 'vitest';
import { generateTokenKey } from '../access/generate-token-key.ts';
import { parseTokenKey, type TokenKey } from '../access/token-key.ts';
import { openSealedSecret, sealSecret } from './seal-secret.ts';

function key(algorithm: 'HS256' | 'EdDSA'): TokenKey {
  return parseTokenKey(generateTokenKey(algorithm));
}

test('each of the keys opens it, and only for what it was sealed for', () => {
  const keys = [key('HS256'), key('EdDSA')];
  const sealed = sealSecret(keys, 'team', 'team-1:c2VjcmV0');
  expect(Object.keys(sealed)).toEqual(keys.map(({ kid }) => kid));
  for (const one of keys) {
    expect(openSealedSecret([one], 'team', sealed)).toBe('team-1:c2VjcmV0');
    expect(openSealedSecret([one], 'other', sealed)).toBeUndefined();
  }
  expect(JSON.stringify(sealed)).not.toContain('c2VjcmV0');
});

test('a secret that signs no more opens; another key, a public one and a changed text do not', () => {
  const [secret, pair] = [key('HS256'), key('EdDSA')];
  const sealed = sealSecret([secret, pair], 'team', 'text');
  expect(openSealedSecret([{ ...secret, sign: undefined }], 'team', sealed)).toBe('text');
  expect(openSealedSecret([{ ...pair, sign: undefined }], 'team', sealed)).toBeUndefined();
  expect(openSealedSecret([key('HS256')], 'team', sealed)).toBeUndefined();
  const bytes = Buffer.from(sealed[secret.kid] ?? '', 'base64');
  bytes[14] = (bytes[14] ?? 0) ^ 1;
  const changed = { [secret.kid]: bytes.toString('base64') };
  expect(openSealedSecret([secret], 'team', changed)).toBeUndefined();
  expect(openSealedSecret([secret], 'team', { [secret.kid]: 'AA==' })).toBeUndefined();
});

test('nobody can open what was sealed for public keys alone', () => {
  expect(sealSecret([{ ...key('EdDSA'), sign: undefined }], 'team', 'text')).toEqual({});
});
