import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { FlywheelError } from '@flywheel/base';

/** The one key a server trusts for tokens, in Attic's forms. `sign` is absent for a public key. */
export interface TokenKey {
  readonly algorithm: 'HS256' | 'RS256';
  readonly verify: KeyObject;
  readonly sign: KeyObject | undefined;
}

/** `token-hs256-secret-base64`: standard base64 of arbitrary bytes. */
export function hs256Key(secretBase64: string): TokenKey {
  const secret = decodeBase64(secretBase64, 'HS256 secret');
  if (secret.length === 0)
    throw new FlywheelError('invalid-input', 'the HS256 token secret is empty');
  const key = createSecretKey(secret);
  return { algorithm: 'HS256', verify: key, sign: key };
}

/** `token-rs256-secret-base64` or `-pubkey-base64`: base64 of a PEM (PKCS#1, PKCS#8 or SPKI). */
export function rs256Key(pemBase64: string): TokenKey {
  const pem = decodeBase64(pemBase64, 'RS256 key').toString('utf8');
  try {
    if (pem.includes('PRIVATE KEY')) {
      const sign = createPrivateKey(pem);
      return { algorithm: 'RS256', verify: createPublicKey(sign), sign };
    }
    return { algorithm: 'RS256', verify: createPublicKey(pem), sign: undefined };
  } catch (cause) {
    throw new FlywheelError('invalid-input', 'the RS256 token key is not a PEM key in base64', {
      cause,
    });
  }
}

function decodeBase64(text: string, what: string): Buffer {
  const trimmed = text.trim();
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(trimmed)) {
    throw new FlywheelError('invalid-input', `the ${what} is not standard base64`);
  }
  return Buffer.from(trimmed, 'base64');
}
