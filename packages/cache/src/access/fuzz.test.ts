import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { createAuthenticator, type Authenticator } from './authenticator.ts';
import { tokenOf } from './authorization-header.ts';
import { parseClaims } from './claims.ts';
import { coversAll } from './covers.ts';
import { KeyRing } from './key-ring.ts';
import { mintToken } from './mint.ts';
import { PERMISSIONS, permissionsFor, type Grant, type Permission } from './permissions.ts';
import { parseTokenKey } from './token-key.ts';

// What a client sends is refused or taken, and never anything else: no throw, no hang.

const key = parseTokenKey(Buffer.from('a secret of some length').toString('base64'));
let authenticator: Authenticator;
let good: string;

beforeAll(async () => {
  const ring = new KeyRing([key]);
  authenticator = createAuthenticator({
    keys: () => ring,
    isRevoked: async () => false,
    recheckMs: 5000,
    clock: { now: () => 1_800_000_000_000 },
  });
  good = await mintToken(key, {
    id: 'x',
    subject: 'ci',
    issuedAt: 1_800_000_000,
    expiresAt: 1_800_000_060,
    grants: [{ pattern: 'a', permissions: new Set(['pull']) }],
  });
});

const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const segment = fc.oneof(
  fc.json().map(base64url),
  fc.base64String(),
  fc.string({ unit: 'binary' }),
  fc
    .record({
      alg: fc.oneof(fc.constantFrom('HS256', 'none', 'RS256', '__proto__'), fc.jsonValue()),
      typ: fc.option(fc.jsonValue(), { nil: undefined }),
      kid: fc.option(fc.jsonValue(), { nil: undefined }),
      crit: fc.option(fc.jsonValue(), { nil: undefined }),
      b64: fc.option(fc.jsonValue(), { nil: undefined }),
    })
    .map((header) => base64url(JSON.stringify(header))),
);
const jwt = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.'));
const header = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  jwt.map((token) => `Bearer ${token}`),
  fc
    .tuple(fc.string(), fc.oneof(jwt, fc.string({ unit: 'binary' })))
    .map(([user, token]) => `basic ${Buffer.from(`${user}:${token}`).toString('base64')}`),
);

test('any Authorization header is anonymous, and its fault has words', async () => {
  await fc.assert(
    fc.asyncProperty(header, async (text) => {
      expect(await authenticator.authenticate(text)).toBeUndefined();
      expect((await authenticator.faultOf(text))?.message).toMatch(/^[\x20-\x7e]+$/);
      expect(authenticator.recall(text)).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});

test('a good token of which one character is another is none', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(good.length - 2),
      fc.constantFrom('A', 'z', '_', '.', '='),
      async (at, c) => {
        fc.pre(good[at] !== c);
        const changed = good.slice(0, at) + c + good.slice(at + 1);
        expect(await authenticator.authenticate(`Bearer ${changed}`)).toBeUndefined();
      },
    ),
    { numRuns: 500 },
  );
  expect((await authenticator.authenticate(`Bearer ${good}`))?.subject).toBe('ci');
});

test('very long headers cost nothing', async () => {
  const started = performance.now();
  for (const text of [
    `Bearer ${'a.'.repeat(5_000_000)}`,
    `Basic ${'A'.repeat(10_000_000)}`,
    'bearer '.repeat(1_000_000),
  ]) {
    expect(tokenOf(text)).toBeUndefined();
    expect(await authenticator.authenticate(text)).toBeUndefined();
  }
  expect(performance.now() - started).toBeLessThan(1000);
});

test('any payload is claims or none', () => {
  const claim = fc.record(
    {
      'https://jwt.attic.rs/v1': fc.oneof(
        fc.jsonValue(),
        fc.record({ caches: fc.dictionary(fc.string(), fc.jsonValue()) }),
      ),
      sub: fc.jsonValue(),
      jti: fc.jsonValue(),
      exp: fc.jsonValue(),
      flywheel: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        claim.map((value) => JSON.stringify(value)),
      ),
      (text) => {
        const claims = parseClaims(text, {});
        for (const { pattern } of claims?.grants ?? []) expect(pattern).toMatch(/^[\w*+-]{1,50}$/);
      },
    ),
    { numRuns: 3000 },
  );
});

const ALL = Object.keys(PERMISSIONS) as Permission[];
const grants: fc.Arbitrary<readonly Grant[]> = fc.uniqueArray(
  fc.record({
    pattern: fc.stringMatching(/^[ab*]{1,4}$/),
    permissions: fc.subarray(ALL.slice(0, 3)).map((list) => new Set(list)),
  }),
  { minLength: 1, maxLength: 4, selector: ({ pattern }) => pattern },
);

test('what is covered gives nobody more, with any cache', () => {
  let covered = 0;
  fc.assert(
    fc.property(grants, grants, fc.stringMatching(/^[ab]{1,6}$/), (held, wanted, cache) => {
      if (!coversAll(held, wanted)) return;
      covered += 1;
      const has = permissionsFor(held, cache);
      for (const permission of permissionsFor(wanted, cache)) expect(has).toContain(permission);
    }),
    { numRuns: 8000 },
  );
  // A property of what never happens proves nothing.
  expect(covered).toBeGreaterThan(400);
});

test('everybody may give away exactly what there is', () => {
  fc.assert(
    fc.property(grants, (held) => {
      const single = held.slice(0, 1);
      expect(coversAll(single, single)).toBe(true);
    }),
  );
});
