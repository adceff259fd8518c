import { FlywheelError } from '@flywheel/base';

/** Nix leaves out e, o, t and u, so that a hash does not spell words. */
const ALPHABET = '0123456789abcdfghijklmnpqrsvwxyz';

const NOT_A_DIGIT = 255;
const DIGIT_OF_CODE = digitTable();

/**
 * Nix's base-32: 5 bits a character, least significant bit of the first byte in the *last*
 * character. It is not RFC 4648, neither in its alphabet nor in its order. 20 bytes make 32
 * characters, 32 bytes make 52.
 */
export function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  for (let digit = Math.ceil((bytes.length * 8) / 5) - 1; digit >= 0; digit -= 1) {
    const bit = digit * 5;
    const low = bytes[bit >>> 3] ?? 0;
    const high = bytes[(bit >>> 3) + 1] ?? 0;
    text += ALPHABET[((low | (high << 8)) >>> (bit & 7)) & 31];
  }
  return text;
}

/** The inverse of `encodeBase32`. Throws `invalid-input` for any text it does not write. */
export function decodeBase32(text: string): Buffer {
  const bytes = Buffer.alloc(Math.floor((text.length * 5) / 8));
  if (Math.ceil((bytes.length * 8) / 5) !== text.length) {
    throw new FlywheelError(
      'invalid-input',
      `no number of bytes makes ${text.length} base-32 characters`,
    );
  }
  for (let index = 0; index < text.length; index += 1) {
    const value = DIGIT_OF_CODE[text.charCodeAt(index)] ?? NOT_A_DIGIT;
    if (value === NOT_A_DIGIT) {
      throw new FlywheelError(
        'invalid-input',
        `${JSON.stringify(text[index])} is not a character of Nix's base-32 (${ALPHABET})`,
      );
    }
    const bit = (text.length - 1 - index) * 5;
    const byte = bit >>> 3;
    const shifted = value << (bit & 7);
    bytes[byte] = (bytes[byte] ?? 0) | (shifted & 255);
    if (shifted <= 255) continue;
    // Bits past the last byte: two texts would stand for the same bytes.
    if (byte + 1 >= bytes.length) {
      throw new FlywheelError('invalid-input', `"${text}" is not base-32: unused bits are set`);
    }
    bytes[byte + 1] = (bytes[byte + 1] ?? 0) | (shifted >>> 8);
  }
  return bytes;
}

function digitTable(): Uint8Array {
  const table = new Uint8Array(128).fill(NOT_A_DIGIT);
  for (let digit = 0; digit < ALPHABET.length; digit += 1)
    table[ALPHABET.charCodeAt(digit)] = digit;
  return table;
}
