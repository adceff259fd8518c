import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { FlywheelError } from '@flywheel/base';
import { checkKeyName, formatKeyText, parseKeyText } from './key-text.ts';

/** An Ed25519 private key in PKCS #8 is this and the 32 bytes of its seed (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SEED_BYTES = 32;
/** As libsodium keeps it: the seed, then the public key. */
const SECRET_BYTES = 64;

/**
 * A new key in the form of `nix key generate-secret`: `name:base64`. The name is what users see in
 * `trusted-public-keys`. Throws `invalid-input` for a name with a colon or white space.
 */
export function generateSecretKey(name: string): string {
  checkKeyName(name);
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-SEED_BYTES);
  return formatKeyText(name, Buffer.concat([seed, publicBytes(privateKey)]));
}

/** Signs store paths. The secret stays inside: it is neither printed, logged nor serialized. */
export class SecretKey {
  readonly name: string;
  /** `name:base64`, for `trusted-public-keys`. */
  readonly publicKey: string;
  readonly #key: KeyObject;

  private constructor(name: string, key: KeyObject) {
    this.name = name;
    this.publicKey = formatKeyText(name, publicBytes(key));
    this.#key = key;
  }

  /** Reads `name:base64` of 64 bytes, as Nix writes it. Throws `invalid-input`. */
  static parse(text: string): SecretKey {
    const { name, bytes } = parseKeyText(text, 'secret key', SECRET_BYTES);
    const der = Buffer.concat([PKCS8_PREFIX, bytes.subarray(0, SEED_BYTES)]);
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    // A public half of another key would make signatures that nobody can verify.
    if (!publicBytes(key).equals(bytes.subarray(SEED_BYTES))) {
      throw new FlywheelError(
        'invalid-input',
        `malformed secret key "${name}": its public half does not belong to its secret half`,
      );
    }
    return new SecretKey(name, key);
  }

  /** The signature of a fingerprint: `name:base64`. */
  sign(fingerprint: string): string {
    return formatKeyText(this.name, sign(null, Buffer.from(fingerprint), this.#key));
  }

  toString(): string {
    return `SecretKey(${this.name})`;
  }
}

function publicBytes(privateKey: KeyObject): Buffer {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return der.subarray(-SEED_BYTES);
}
