import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { decodeBase64 } from './base-64.ts';
import { formatKeyText, parseKeyText } from './key-text.ts';

/** An Ed25519 public key in SPKI is this and its 32 bytes (RFC 8410, section 4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PUBLIC_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** Verifies signatures of store paths. */
export class PublicKey {
  readonly name: string;
  readonly #bytes: Buffer;
  readonly #key: KeyObject;

  private constructor(name: string, bytes: Buffer) {
    this.name = name;
    this.#bytes = bytes;
    const der = Buffer.concat([SPKI_PREFIX, bytes]);
    this.#key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  }

  /** Reads `name:base64` of 32 bytes, an entry of `trusted-public-keys`. Throws `invalid-input`. */
  static parse(text: string): PublicKey {
    const { name, bytes } = parseKeyText(text, 'public key', PUBLIC_BYTES);
    return new PublicKey(name, bytes);
  }

  /**
   * Whether one of the signatures (`name:base64`) is this key's, of this fingerprint. Those of other
   * keys and malformed ones count for nothing.
   */
  verify(fingerprint: string, signatures: readonly string[]): boolean {
    const message = Buffer.from(fingerprint);
    return signatures.some((signature) => {
      if (!signature.startsWith(`${this.name}:`)) return false;
      const bytes = decodeBase64(signature.slice(this.name.length + 1));
      return bytes?.length === SIGNATURE_BYTES && verify(null, message, this.#key, bytes);
    });
  }

  toString(): string {
    return formatKeyText(this.name, this.#bytes);
  }
}
