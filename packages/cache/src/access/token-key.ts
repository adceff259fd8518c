import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  type webcrypto,
} from 'node:crypto';
import { FlywheelError, messageOf } from '@flywheel/base';

/** RFC 7518 and RFC 8037; EdDSA means Ed25519. */
export type TokenAlgorithm = 'HS256' | 'RS256' | 'EdDSA' | 'ES256';

/**
 * A key that a server trusts for tokens. The algorithm is the key's, never the token's: no token can
 * have a public key taken for a secret. `sign` is absent for a key that only verifies.
 */
export interface TokenKey {
  /** The same for the same key everywhere, so that replicas need not agree on names. */
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  readonly verify: KeyObject;
  readonly sign: KeyObject | undefined;
}

type JsonWebKey = webcrypto.JsonWebKey;

const MIN_RSA_BITS = 2048;

/**
 * A key in any of the forms that people have it in: a JWK (RFC 7517), a PEM, or one of Attic's, which
 * are base64 of a PEM (`token-rs256-…-base64`) or of the bytes of a secret
 * (`token-hs256-secret-base64`). Throws `invalid-input`; the message never repeats the text.
 */
export function parseTokenKey(text: string): TokenKey {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return jwkKey(parseJwk(trimmed));
  if (trimmed.includes('-----BEGIN')) return pemKey(trimmed);
  if (!/^[A-Za-z0-9+/\s]*={0,2}$/.test(trimmed)) {
    throw invalid('it is no JWK, no PEM and no standard base64');
  }
  const bytes = Buffer.from(trimmed, 'base64');
  const decoded = bytes.toString('latin1');
  return decoded.includes('-----BEGIN') ? pemKey(decoded) : secretKey(bytes);
}

/** Of a JWK. A secret among public keys that somebody publishes must not count: see `publicJwkKey`. */
function jwkKey(jwk: JsonWebKey & { readonly kid?: unknown; readonly alg?: unknown }): TokenKey {
  const key = jwk.kty === 'oct' ? secretKey(octets(jwk)) : asymmetricKey(importJwk(jwk));
  if (jwk.alg !== undefined && jwk.alg !== key.algorithm) {
    throw invalid(`it says alg ${JSON.stringify(jwk.alg)} and is a key for ${key.algorithm}`);
  }
  return typeof jwk.kid === 'string' && jwk.kid !== '' ? { ...key, kid: jwk.kid } : key;
}

/** A key of somebody's published set. Throws `invalid-input` for anything but a public key. */
export function publicJwkKey(jwk: unknown): TokenKey {
  const { kty, d } = Object(jwk) as JsonWebKey;
  if (kty === 'oct' || d !== undefined) throw invalid('it is not a public key');
  return jwkKey(jwk as JsonWebKey);
}

/** As it may be published; undefined for a secret. */
export function publicJwkOf(key: TokenKey): Readonly<Record<string, unknown>> | undefined {
  if (key.verify.type !== 'public') return undefined;
  const jwk = key.verify.export({ format: 'jwk' });
  return { ...jwk, kid: key.kid, alg: key.algorithm, use: 'sig' };
}

function parseJwk(text: string): JsonWebKey {
  try {
    return JSON.parse(text) as JsonWebKey;
  } catch {
    // Its message would repeat a piece of the text.
    throw invalid('it starts like a JWK and is not valid JSON');
  }
}

function octets({ k }: JsonWebKey): Buffer {
  if (typeof k !== 'string' || !/^[A-Za-z0-9_-]+$/.test(k)) throw invalid('its k is no base64url');
  return Buffer.from(k, 'base64url');
}

function importJwk(jwk: JsonWebKey): KeyObject {
  try {
    const input = { key: jwk, format: 'jwk' } as const;
    return jwk.d === undefined ? createPublicKey(input) : createPrivateKey(input);
  } catch (cause) {
    throw invalid(`it is no JWK: ${messageOf(cause)}`);
  }
}

function pemKey(pem: string): TokenKey {
  let key: KeyObject;
  try {
    key = pem.includes('PRIVATE KEY') ? createPrivateKey(pem) : createPublicKey(pem);
  } catch (cause) {
    throw invalid(`it is no PEM of a key: ${messageOf(cause)}`);
  }
  return asymmetricKey(key);
}

function secretKey(bytes: Buffer): TokenKey {
  if (bytes.length === 0) throw invalid('the secret is empty');
  const key = createSecretKey(bytes);
  const kid = createHmac('sha256', bytes).update('flywheel token key id').digest();
  return { kid: shortened(kid), algorithm: 'HS256', verify: key, sign: key };
}

function asymmetricKey(key: KeyObject): TokenKey {
  const verify = key.type === 'private' ? createPublicKey(key) : key;
  return {
    kid: shortened(createHash('sha256').update(spki(verify)).digest()),
    algorithm: algorithmOf(verify),
    verify,
    sign: key.type === 'private' ? key : undefined,
  };
}

function spki(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' });
}

function algorithmOf(key: KeyObject): TokenAlgorithm {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      if (modulusLength >= MIN_RSA_BITS) return 'RS256';
      throw invalid(`it has ${modulusLength} bits; an RSA key needs ${MIN_RSA_BITS}`);
    case 'ed25519':
      return 'EdDSA';
    case 'ec':
      if (namedCurve === 'prime256v1') return 'ES256';
      throw invalid(`its curve is ${namedCurve}; ES256 needs P-256`);
    default:
      throw invalid(`a key of type ${key.asymmetricKeyType} signs no tokens here`);
  }
}

/** 96 bits: enough to tell keys apart, short enough to read out. */
function shortened(hash: Buffer): string {
  return hash.subarray(0, 12).toString('base64url');
}

function invalid(reason: string): FlywheelError {
  return new FlywheelError('invalid-input', `this is no key for tokens: ${reason}`, {
    details: { hint: 'a key is a JWK, a PEM, or base64 as in the configuration of Attic' },
  });
}
