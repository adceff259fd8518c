import { FlywheelError } from '@flywheel/base';
import { decodeBase32, encodeBase32 } from './base-32.ts';
import { decodeBase64 } from './base-64.ts';

/** Hash functions Nix names, with the length of their digest in bytes. */
const DIGEST_BYTES = { md5: 16, sha1: 20, sha256: 32, sha512: 64 } as const;

export type HashAlgorithm = keyof typeof DIGEST_BYTES;
export type HashFormat = 'hex' | 'base32';

export interface Hash {
  readonly algorithm: HashAlgorithm;
  readonly digest: Buffer;
}

/**
 * `sha256:<hex>`, `sha256:<base-32>` or the SRI form `sha256-<base64>`; likewise for md5, sha1 and
 * sha512. Throws `invalid-input`.
 */
export function parseHash(text: string): Hash {
  const at = text.search(/[:-]/);
  const algorithm = text.slice(0, Math.max(at, 0));
  if (!Object.hasOwn(DIGEST_BYTES, algorithm)) {
    throw notAHash(text, 'it has to start with sha256:, sha512:, sha1: or md5:');
  }
  const known = algorithm as HashAlgorithm;
  const digits = text.slice(at + 1);
  const digest = text[at] === '-' ? decodeBase64(digits) : decodeDigits(text, digits, known);
  if (digest?.length !== DIGEST_BYTES[known]) {
    throw notAHash(text, `${digits.length} characters do not make a ${known} digest`);
  }
  return { algorithm: known, digest };
}

/** `sha256:<digits>`. Throws `invalid-input` when the digest has not its algorithm's length. */
export function formatHash(
  hash: { readonly algorithm: HashAlgorithm; readonly digest: Uint8Array },
  format: HashFormat,
): string {
  const { algorithm, digest } = hash;
  if (digest.length !== DIGEST_BYTES[algorithm]) {
    throw new FlywheelError(
      'invalid-input',
      `a ${algorithm} digest has ${DIGEST_BYTES[algorithm]} bytes, not ${digest.length}`,
    );
  }
  const digits = format === 'hex' ? Buffer.from(digest).toString('hex') : encodeBase32(digest);
  return `${algorithm}:${digits}`;
}

/** The 32 bytes behind any spelling that `parseHash` reads. Throws `invalid-input`. */
export function parseSha256(text: string): Buffer {
  const { algorithm, digest } = parseHash(text);
  if (algorithm !== 'sha256') throw notAHash(text, 'only SHA-256 is accepted here');
  return digest;
}

/** `sha256:` and the digits. Throws `invalid-input` unless given 32 bytes. */
export function formatSha256(bytes: Uint8Array, format: HashFormat): string {
  return formatHash({ algorithm: 'sha256', digest: bytes }, format);
}

function decodeDigits(text: string, digits: string, algorithm: HashAlgorithm): Buffer | undefined {
  // The two lengths never meet, so the length alone tells which alphabet was used.
  if (digits.length !== DIGEST_BYTES[algorithm] * 2) {
    return digits.length === Math.ceil((DIGEST_BYTES[algorithm] * 8) / 5)
      ? decodeBase32(digits)
      : undefined;
  }
  if (!/^[0-9a-f]*$/i.test(digits)) throw notAHash(text, 'it has characters that are not hex');
  return Buffer.from(digits, 'hex');
}

function notAHash(text: string, why: string): FlywheelError {
  return new FlywheelError('invalid-input', `${JSON.stringify(text)} is not a hash: ${why}`);
}
