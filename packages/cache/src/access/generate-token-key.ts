import { generateKeyPairSync, randomBytes, type KeyObject, type webcrypto } from 'node:crypto';
import { parseTokenKey, type TokenAlgorithm } from './token-key.ts';

type JsonWebKey = webcrypto.JsonWebKey;

const SECRET_BYTES = 48;

/** A new key as the text of a JWK that names itself. */
export function generateTokenKey(algorithm: TokenAlgorithm): string {
  const jwk = JSON.stringify(newJwk(algorithm));
  const { kid } = parseTokenKey(jwk);
  return JSON.stringify({ ...(JSON.parse(jwk) as JsonWebKey), kid, alg: algorithm });
}

function newJwk(algorithm: TokenAlgorithm): JsonWebKey {
  switch (algorithm) {
    case 'HS256':
      return { kty: 'oct', k: randomBytes(SECRET_BYTES).toString('base64url') };
    case 'RS256':
      return privateJwk(generateKeyPairSync('rsa', { modulusLength: 3072 }));
    case 'ES256':
      return privateJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    default:
      return privateJwk(generateKeyPairSync('ed25519'));
  }
}

function privateJwk({ privateKey }: { readonly privateKey: KeyObject }): JsonWebKey {
  return privateKey.export({ format: 'jwk' });
}
