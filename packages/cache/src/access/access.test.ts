import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { tokenOf } from './authorization-header.ts';
import { createAuthenticator, type Authenticator } from './authenticator.ts';
import { ATTIC_CLAIM, readClaims } from './claims.ts';
import { KeyRing } from './key-ring.ts';
import { grantsOf, mintToken } from './mint.ts';
import { isCacheName, matchesPattern, permissionsFor } from './permissions.ts';
import { parseTokenKey, type TokenKey } from './token-key.ts';

const NOW = 1_800_000_000;
const clock = { now: () => NOW * 1000 };
const secret = Buffer.from('not UTF-8: \xff\xfe', 'latin1');
const key = parseTokenKey(secret.toString('base64'));

function authenticatorOf(keys: readonly TokenKey[], time = clock): Authenticator {
  const ring = new KeyRing(keys);
  const isRevoked = async (): Promise<boolean> => false;
  return createAuthenticator({ keys: () => ring, isRevoked, recheckMs: 5000, clock: time });
}

async function sign(claims: Record<string, unknown>, header: Record<string, string> = {}) {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', ...header })
    .sign(createSecretKey(secret));
}

async function accepts(claims: Record<string, unknown>, header?: Record<string, string>) {
  const token = await sign(claims, header);
  return (await authenticatorOf([key]).authenticate(`bearer ${token}`)) !== undefined;
}

const caches = (value: unknown) => ({ [ATTIC_CLAIM]: { caches: value } });

test.each([
  ['hello', true],
  ['alice+shared', true],
  ['0-a_b', true],
  ['', false],
  ['-a', false],
  ['_api', false],
  ['a.b', false],
  ['a'.repeat(50), true],
  ['a'.repeat(51), false],
])('cache name %j: %s', (name, valid) => {
  expect(isCacheName(name)).toBe(valid);
});

test.each([
  ['*', 'anything', true],
  ['team-*', 'team-a', true],
  ['team-*', 'team-', true],
  ['team-*', 'Team-a', false],
  ['p*v', 'priv', true],
  ['p*v', 'prive', false],
  ['*a*a*a*b', 'a'.repeat(50), false],
  ['a*b*c', 'aXbYbZc', true],
])('pattern %s against %s: %s', (pattern, name, matches) => {
  expect(matchesPattern(pattern, name)).toBe(matches);
});

test('an exact name wins; otherwise the first pattern in claim order, never merged', () => {
  const payload = JSON.stringify(
    caches({ 'all-*': { r: 1 }, 'all-ci-*': { w: 1 }, 'all-ci-x': { cd: 1 } }),
  );
  const { grants } = readClaims(payload, {}, NOW)!;
  expect([...permissionsFor(grants, 'all-ci-abc')]).toEqual(['pull']);
  expect([...permissionsFor(grants, 'all-ci-x')]).toEqual(['destroyCache']);
  expect([...permissionsFor(grants, 'other')]).toEqual([]);
});

test('patterns that look like integers keep their place', () => {
  const payload = `{"${ATTIC_CLAIM}":{"caches":{"1*":{"r":1},"12":{},"9*":{"w":1},"*":{"cc":1}}}}`;
  const { grants } = readClaims(payload, {}, NOW)!;
  expect(grants.map((grant) => grant.pattern)).toEqual(['1*', '12', '9*', '*']);
  const tricky = `{"sub":"a\\":\\"b","${ATTIC_CLAIM}":{"caches":{"b*":{"r":1},"7":{"w":1}}}}`;
  const claims = readClaims(tricky, {}, NOW)!;
  expect(claims.subject).toBe('a":"b');
  expect(claims.grants.map((grant) => grant.pattern)).toEqual(['b*', '7']);
});

test('what makes a token worthless, and what does not', async () => {
  const good = caches({ a: { r: 1 } });
  expect(await accepts(good)).toBe(true);
  expect(await accepts({ ...good, exp: NOW })).toBe(true);
  expect(await accepts({ ...good, exp: NOW - 1 })).toBe(false);
  expect(await accepts({ ...good, nbf: NOW + 61 })).toBe(false);
  expect(await accepts({ ...good, iat: NOW + 61 })).toBe(false);
  expect(await accepts({ ...good, nbf: NOW + 60, iat: NOW + 60 })).toBe(true);
  expect(await accepts({ ...good, aud: 'unexpected' })).toBe(true);
  expect(await accepts(caches({ a: { r: 0 } }))).toBe(true);
  expect(await accepts(caches({ a: { r: true } }))).toBe(false);
  expect(await accepts(caches({ a: { r: 2 } }))).toBe(false);
  expect(await accepts(caches({ a: { zz: 7 } }))).toBe(true);
  expect(await accepts(caches({ 'a?': { r: 1 } }))).toBe(false);
  expect(await accepts({ sub: 'no claim' })).toBe(false);
  expect(await accepts(good, { typ: 'JWT' })).toBe(true);
  expect(await accepts(good, { typ: 'at+jwt' })).toBe(true);
  expect(await accepts(good, { typ: 'X' })).toBe(false);
});

test('another key, another algorithm, or no signature at all is nobody', async () => {
  const authenticator = authenticatorOf([key]);
  const claims = caches({ '*': { r: 1 } });
  const foreign = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .sign(createSecretKey(Buffer.from('other')));
  const sha512 = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS512' })
    .sign(createSecretKey(secret));
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(
    JSON.stringify(claims),
  ).toString('base64url')}.`;
  for (const token of [foreign, sha512, none, 'garbage', '', 'a.b.c']) {
    expect(await authenticator.authenticate(`Bearer ${token}`)).toBeUndefined();
  }
  expect(await authenticator.authenticate(undefined)).toBeUndefined();
});

test('a remembered token still expires', async () => {
  let now = NOW;
  const authenticator = authenticatorOf([key], { now: () => now * 1000 });
  const header = `Bearer ${await sign({ ...caches({ a: { r: 1 } }), exp: NOW + 10 })}`;
  expect(await authenticator.authenticate(header)).toBeDefined();
  now = NOW + 11;
  expect(await authenticator.authenticate(header)).toBeUndefined();
});

test('what is remembered of a header: its claims while they are current, or that it is worthless', async () => {
  let now = NOW;
  const authenticator = authenticatorOf([key], { now: () => now * 1000 });
  const good = `Bearer ${await sign({ ...caches({ a: { r: 1 } }), exp: NOW + 10 })}`;
  const bad = `${good}x`;
  expect(authenticator.recall(undefined)).toBeUndefined();
  expect(authenticator.recall(good)).toBe('unknown');
  expect(authenticator.recall(bad)).toBe('unknown');
  const claims = await authenticator.authenticate(good);
  await authenticator.authenticate(bad);
  expect(authenticator.recall(good)).toBe(claims);
  expect(authenticator.recall(bad)).toBeUndefined();
  now = NOW + 11;
  expect(authenticator.recall(good)).toBeUndefined();
});

test('issuer and audience are checked where the server is bound to them', () => {
  const payload = JSON.stringify({ iss: 'me', aud: ['x', 'y'], ...caches({ a: { r: 1 } }) });
  expect(readClaims(payload, { issuer: 'me', audiences: ['y'] }, NOW)).toBeDefined();
  expect(readClaims(payload, { issuer: 'you' }, NOW)).toBeUndefined();
  expect(readClaims(payload, { audiences: ['z'] }, NOW)).toBeUndefined();
});

test('the token in the header', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  expect(tokenOf('bearer x.y.z')).toBe('x.y.z');
  expect(tokenOf('BEARER x.y.z')).toBe('x.y.z');
  expect(tokenOf('Bearer  x')).toBeUndefined();
  expect(tokenOf(basic(':x.y.z'))).toBe('x.y.z');
  expect(tokenOf(basic('user:x:y'))).toBe('x:y');
  expect(tokenOf(basic('no colon'))).toBeUndefined();
  expect(tokenOf('Digest x')).toBeUndefined();
});

test('minted tokens are accepted, HS256 and RS256, the public half included', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const base64 = (pem: string | Buffer) => Buffer.from(pem).toString('base64');
  const rsa = parseTokenKey(base64(privateKey.export({ type: 'pkcs1', format: 'pem' })));
  const rsaPublic = parseTokenKey(base64(publicKey.export({ type: 'spki', format: 'pem' })));
  const request = {
    subject: 'ci',
    issuedAt: NOW,
    expiresAt: NOW + 60,
    grants: grantsOf({ pull: ['b-*', 'a'], push: ['a'] }),
  };
  for (const [signer, verifier] of [
    [key, key],
    [rsa, rsa],
    [rsa, rsaPublic],
  ] as const) {
    const token = await mintToken(signer, request);
    const claims = await authenticatorOf([verifier]).authenticate(`Bearer ${token}`);
    expect(claims?.subject).toBe('ci');
    expect(claims?.grants.map((grant) => grant.pattern)).toEqual(['b-*', 'a']);
    expect([...permissionsFor(claims!.grants, 'a')]).toEqual(['pull', 'push']);
  }
  await expect(mintToken(rsaPublic, request)).rejects.toThrow('only verifies');
  await expect(mintToken(key, { ...request, grants: [] })).rejects.toThrow('grants nothing');
  await expect(mintToken(key, { ...request, grants: grantsOf({ pull: ['?'] }) })).rejects.toThrow(
    '"?"',
  );
});
