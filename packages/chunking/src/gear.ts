import { createHash } from 'node:crypto';

/**
 * The gear table: one 64-bit number a byte value. Entry `i` is the first eight bytes
 * (little-endian) of SHA-256("attic-iac gear " + i): nothing up the sleeve, and reproducible in any
 * language. It is part of the store's format: another table would cut the same data elsewhere, and
 * nothing stored before would be found again.
 */
export function gearTable(): BigUint64Array {
  const table = new BigUint64Array(256);
  for (let value = 0; value < 256; value += 1) {
    table[value] = createHash('sha256')
      .update(`attic-iac gear ${value}`)
      .digest()
      .readBigUInt64LE();
  }
  return table;
}
