/** What a NAR's reader and writer share: its strings, and the limits both of them hold. */

/** A file name on Linux and macOS; a longer one could not be unpacked. */
export const MAX_FILE_NAME_BYTES = 255;
/** PATH_MAX less its terminating NUL. */
export const MAX_SYMLINK_TARGET_BYTES = 4095;
/** Folders within folders. PATH_MAX allows half as many, and each level costs memory. */
export const MAX_NAR_DEPTH = 4096;

/** How many zero bytes follow so many bytes of a string or a file. */
export function narPadding(length: number): number {
  return (8 - (length % 8)) % 8;
}

/** A NAR string: 64-bit little-endian length, the bytes, zeros up to a multiple of 8. */
export function narString(text: string | Uint8Array): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  const encoded = Buffer.alloc(8 + bytes.length + narPadding(bytes.length));
  encoded.writeUInt32LE(bytes.length);
  encoded.set(bytes, 8);
  return encoded;
}

export function narStrings(...texts: readonly string[]): Buffer {
  return Buffer.concat(texts.map(narString));
}

/** A 64-bit little-endian length. Throws unless it is a safe integer. */
export function narLength(length: number): Buffer {
  const encoded = Buffer.alloc(8);
  encoded.writeBigUInt64LE(BigInt(length));
  return encoded;
}

/** What is wrong with the name of a folder's entry, as a half-sentence, or undefined. */
export function entryNameProblem(name: Uint8Array): string | undefined {
  if (name.length === 0) return 'an empty name';
  if (name.length > MAX_FILE_NAME_BYTES) return `a name over ${MAX_FILE_NAME_BYTES} bytes`;
  if (name[0] === DOT && name.length === 1) return 'the name "."';
  if (name[0] === DOT && name[1] === DOT && name.length === 2) return 'the name ".."';
  for (const byte of name) {
    if (byte === SLASH) return 'a name with "/"';
    if (byte === 0) return 'a name with a NUL byte';
  }
  return undefined;
}

/** What is wrong with a symlink's target, as a half-sentence, or undefined. */
export function symlinkTargetProblem(target: Uint8Array): string | undefined {
  if (target.length > MAX_SYMLINK_TARGET_BYTES) {
    return `a target over ${MAX_SYMLINK_TARGET_BYTES} bytes`;
  }
  return target.includes(0) ? 'a target with a NUL byte' : undefined;
}

const DOT = 0x2e;
const SLASH = 0x2f;
