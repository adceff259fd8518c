import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import keys from '../testdata/keys.json' with { type: 'json' };
import { fingerprint, generateSecretKey, parseSha256, PublicKey, SecretKey } from './index.ts';

// cache.nixos.org's signature of hello.
const HELLO = {
  storePath: '/nix/store/xcp9cav49dmsjbwdjlmkjxj10gkpx553-hello-2.10',
  narHash: parseSha256('sha256:91e129ac1959d062ad093d2b1f8b65afae0f712056fe3eac78ec530ff6a1bb9a'),
  narSize: 206104,
  references: [
    'xcp9cav49dmsjbwdjlmkjxj10gkpx553-hello-2.10',
    '563528481rvhc5kxwipjmg6rqrl95mdx-glibc-2.33-56',
  ],
};
const HELLO_SIGNATURE =
  'cache.nixos.org-1:lo9EfNIL4eGRuNh7DTbAAffWPpI2SlYC/8uP7JnhgmfRIUNGhSbFe8qEaKN0mFS02TuhPpXFPNtRkFcCp0hGAQ==';
const CACHE_NIXOS_ORG = 'cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=';

test('the fingerprint sorts the references, each once', () => {
  const expected =
    '1;/nix/store/xcp9cav49dmsjbwdjlmkjxj10gkpx553-hello-2.10;' +
    'sha256:16mvl7v0ylzcg2n3xzjn41qhzbmgcn5iyarx16nn5l2r36n2kqci;206104;' +
    '/nix/store/563528481rvhc5kxwipjmg6rqrl95mdx-glibc-2.33-56,' +
    '/nix/store/xcp9cav49dmsjbwdjlmkjxj10gkpx553-hello-2.10';

  expect(fingerprint(HELLO)).toBe(expected);
  expect(fingerprint({ ...HELLO, references: [...HELLO.references, ...HELLO.references] })).toBe(
    expected,
  );
});

test("verifies cache.nixos.org's signature of hello", () => {
  const key = PublicKey.parse(CACHE_NIXOS_ORG);

  expect(key.name).toBe('cache.nixos.org-1');
  expect(key.verify(fingerprint(HELLO), ['other:AAAA', HELLO_SIGNATURE])).toBe(true);
  expect(key.verify(fingerprint({ ...HELLO, narSize: 206105 }), [HELLO_SIGNATURE])).toBe(false);
});

test('signatures that are malformed or of another name count for nothing', () => {
  const key = PublicKey.parse(CACHE_NIXOS_ORG);
  const [, base64] = HELLO_SIGNATURE.split(':');
  const signatures = [
    '',
    'cache.nixos.org-1',
    'cache.nixos.org-1:',
    'cache.nixos.org-1:AAAA',
    `cache.nixos.org-1:${base64}\n`,
    `cache.nixos.org-12:${base64}`,
    `:${base64}`,
  ];

  expect(key.verify(fingerprint(HELLO), signatures)).toBe(false);
});

test('reads and signs with a key that nix generated', () => {
  const key = SecretKey.parse(`${keys.secret}\n`);

  expect(key.name).toBe('test-1');
  expect(key.publicKey).toBe(keys.public);
  expect(PublicKey.parse(keys.public).toString()).toBe(keys.public);
  // What `nix store sign` made for the path in note.narinfo.
  const note = fingerprint({
    storePath: '/nix/store/40l4cx2i3wbqjqbdd252jbwkdq6j44sv-note',
    narHash: parseSha256('sha256:1mnqy4427id6s8jzc0w5v5mmwfa5iffkykxw4c3ars6xj975iw44'),
    narSize: 168,
    references: ['430rksy9dxpyl50zs25x2fd6w89wfddx-a'],
  });
  expect(key.sign(note)).toBe(
    'test-1:o3sJTOrrd7Ib6dXOx90XZVxCzUiDCe5/Z150XHMQhjF3nGreq8cOwvYhKdtys7MQaCdd8pWT9gyWfF/pGZjSDw==',
  );
});

test('a generated key round-trips and signs', () => {
  const text = generateSecretKey('ours-1');
  const key = SecretKey.parse(text);

  expect(text).toMatch(/^ours-1:[A-Za-z0-9+/]{86}==$/);
  expect(PublicKey.parse(key.publicKey).verify('x', [key.sign('x')])).toBe(true);
  expect(PublicKey.parse(key.publicKey).verify('y', [key.sign('x')])).toBe(false);
  expect(generateSecretKey('ours-1')).not.toBe(text);
});

test('a secret key does not show its secret', () => {
  const key = SecretKey.parse(keys.secret);
  const seed = keys.secret.slice('test-1:'.length, 40);

  const shown = `${String(key)} ${JSON.stringify(key)} ${inspect(key, { depth: 9, showHidden: true })}`;
  expect(shown).toContain('test-1');
  expect(shown).not.toContain(seed);
});

test.each([
  ['no colon', keys.secret.replace(':', '='), 'it is not of the form name:base64'],
  ['no name', keys.secret.slice(6), 'has to be non-empty'],
  ['white space in the name', `a ${keys.secret}`, 'without colons and white space'],
  ['not base64', `${keys.secret.slice(0, -1)}!`, 'what follows the name is not base64'],
  ['a public key', keys.public, 'it has 32 bytes instead of 64'],
  [
    'halves of two keys',
    `x:${Buffer.alloc(64, 7).toString('base64')}`,
    'its public half does not belong to its secret half',
  ],
])('refuses a secret key with %s, without repeating it', (_case, text, message) => {
  expect(() => SecretKey.parse(text)).toThrow(message);
  expect(() => SecretKey.parse(text)).not.toThrow(text.slice(10, 30));
});

test('names that break trusted-public-keys are not given', () => {
  expect(() => generateSecretKey('a b')).toThrow('without colons and white space');
  expect(() => generateSecretKey('a:b')).toThrow('without colons and white space');
  expect(() => generateSecretKey('')).toThrow('has to be non-empty');
});
