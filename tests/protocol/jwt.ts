import { createHmac, sign, type KeyObject } from 'node:crypto';

// JWTs made by hand, not by the library that the server verifies them with.

export type Claims = Readonly<Record<string, unknown>>;

/** With a private RSA key, RS256; with bytes, HS256, whatever the header says beside. */
export function signJwt(claims: Claims, key: KeyObject | Buffer, header: Claims = {}): string {
  const alg = Buffer.isBuffer(key) ? 'HS256' : 'RS256';
  const text = `${encoded({ alg, typ: 'JWT', ...header })}.${encoded(claims)}`;
  const signature = Buffer.isBuffer(key)
    ? createHmac('sha256', key).update(text).digest()
    : sign('sha256', Buffer.from(text), key);
  return `${text}.${signature.toString('base64url')}`;
}

export function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

export function claimsIn(jwt: string): Claims {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as Claims;
}

export function headerOf(jwt: string): Claims {
  return JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()) as Claims;
}
