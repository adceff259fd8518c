import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createAuthenticator } from '../../../packages/cache/src/access/authenticator.ts';
import { tokenOf } from '../../../packages/cache/src/access/authorization-header.ts';
import { KeyRing } from '../../../packages/cache/src/access/key-ring.ts';
import { mintToken } from '../../../packages/cache/src/access/mint.ts';
import { parseTokenKey } from '../../../packages/cache/src/access/token-key.ts';
import type { FuzzTarget } from '@flywheel/testing/fuzz';

const NOW = 1_800_000_000;
const SECRET = Buffer.from('a secret of some length');
/** An Ed25519 key in PKCS #8 up to its 32 bytes: the same key each time, and nobody's. */
const ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * `H` and an Authorization header, of which nothing counts but what was minted; or `S`, the header and
 * the payload of a token in two lines, signed by a key that we trust: anything may be in it.
 */
export async function openTarget(): Promise<FuzzTarget> {
  const ring = new KeyRing([
    parseTokenKey(pemOf(Buffer.concat([ED25519, Buffer.alloc(32, 7)]))),
    parseTokenKey(SECRET.toString('base64')),
  ]);
  const request = {
    id: 'x',
    subject: 'ci',
    issuedAt: NOW,
    expiresAt: NOW + 60,
    mayMint: true,
    limits: { requestsPerSecond: 5 },
    grants: [
      { pattern: 'a', permissions: new Set(['pull', 'push'] as const) },
      { pattern: 'b-*', permissions: new Set(['createCache'] as const) },
    ],
  };
  const minted = await Promise.all(ring.keys.map((key) => mintToken(key, request)));
  const genuine = new Set(minted.map(signedPart));
  const authenticator = createAuthenticator({
    keys: () => ring,
    isRevoked: async () => false,
    recheckMs: 5000,
    clock: { now: () => NOW * 1000 },
  });
  return {
    covers: ['packages/cache/src/access/'],
    seeds: [
      ...minted.map((token) => `HBearer ${token}`),
      `Hbasic ${Buffer.from(`ci:${minted[0]}`).toString('base64')}`,
      ...minted.map((token) => ['S', decoded(token, 0), '\n', decoded(token, 1)].join('')),
    ].map((text) => Buffer.from(text)),
    // prettier-ignore
    dictionary: [
      'Bearer ', 'basic ', '.', '..', '=', 'eyJhbGciOiJub25lIn0', 'null', 'true', '[]', '{}',
      'none', 'HS256', 'RS256', 'EdDSA', '"alg":', '"kid":', '"crit":["b64"],', '"b64":false,',
      '"typ":"at+jwt",', '"zip":"DEF",', '"jwk":{},', '"__proto__":{},', '"exp":', '"nbf":', '"iat":',
      '"aud":', '"sub":', '"jti":', '"caches":', '"r":1,', '"123":{"w":1},', '1e999', '-1', '0.5',
      '\\u0000', '\\"', '\\', '"', ':', ',', '\ud83d\ude80', '*', '\n', 'x'.repeat(60),
    ],
    async run(input) {
      const text = Buffer.from(input).toString('utf8');
      const isSigned = text.startsWith('S');
      const authorization = isSigned ? `Bearer ${signed(text.slice(1))}` : text.slice(1);
      const claims = await authenticator.authenticate(authorization);
      const fault = await authenticator.faultOf(authorization);
      if (claims === undefined) {
        assert.match(fault?.message ?? '', /^[\x20-\x7e]+$/);
        return;
      }
      assert.equal(fault, undefined);
      assert.equal(authenticator.recall(authorization), claims);
      if (!isSigned) assert.ok(genuine.has(signedPart(tokenOf(authorization) ?? '')));
      for (const { pattern } of claims.grants) assert.match(pattern, /^[\w*+-]{1,50}$/);
      assert.ok(claims.expiresAt === undefined || claims.expiresAt >= NOW);
    },
  };
}

function pemOf(der: Buffer): string {
  const base64 = der.toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`;
}

/** Header and payload. */
function signedPart(token: string): string {
  return token.slice(0, token.lastIndexOf('.'));
}

function decoded(token: string, part: number): string {
  return Buffer.from(token.split('.')[part] ?? '', 'base64url').toString();
}

/** Signed with the secret, whatever the header says. */
function signed(lines: string): string {
  const [header = '', ...payload] = lines.split('\n');
  const text = [header, payload.join('\n')]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}
