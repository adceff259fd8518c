import { FlywheelError } from '@flywheel/base';

export const DEFAULT_STORE_DIR = '/nix/store';

/** Of the 255 of a file name, this leaves the hash, its dash and a suffix like `.drv.chroot`. */
const MAX_NAME_LENGTH = 211;

const HASH = /^[0-9abcdfghijklmnpqrsvwxyz]{32}$/;
const NAME = /^[0-9A-Za-z+\-._?=]+$/;

/** A path in a store, taken apart: `<storeDir>/<hash>-<name>`. */
export interface StorePath {
  readonly storeDir: string;
  /** 160 bits in Nix's base-32: 32 characters. */
  readonly hash: string;
  readonly name: string;
  /** `<hash>-<name>`. */
  readonly baseName: string;
}

/** Exactly 32 characters of Nix's base-32. */
export function isStorePathHash(text: string): boolean {
  return HASH.test(text);
}

/** `<hash>-<name>`, by the rules of current Nix. */
export function isStoreBaseName(text: string): boolean {
  return baseNameProblem(text) === undefined;
}

/**
 * Takes a store path apart; its last component is the base name, the rest is the store's folder,
 * whatever that is called. A path below a store path (`…-hello/bin/hello`) is not one.
 * Throws `invalid-input` and says what is wrong.
 */
export function parseStorePath(path: string): StorePath {
  const slash = path.lastIndexOf('/');
  const storeDir = path.slice(0, Math.max(slash, 0));
  const baseName = path.slice(slash + 1);
  const problem = storeDirProblem(storeDir) ?? baseNameProblem(baseName);
  if (problem !== undefined) {
    throw new FlywheelError(
      'invalid-input',
      `${JSON.stringify(path)} is not a store path: ${problem}`,
    );
  }
  return { storeDir, hash: baseName.slice(0, 32), name: baseName.slice(33), baseName };
}

/** The inverse of `parseStorePath`. */
export function formatStorePath(path: Pick<StorePath, 'storeDir' | 'baseName'>): string {
  return `${path.storeDir}/${path.baseName}`;
}

/** What is wrong with a base name, as a half-sentence, or undefined. */
export function baseNameProblem(baseName: string): string | undefined {
  if (!isStorePathHash(baseName.slice(0, 32))) {
    return "its name does not start with a hash (32 characters of Nix's base-32)";
  }
  if (baseName[32] !== '-') return 'the hash is not followed by "-"';
  return nameProblem(baseName.slice(33));
}

/** What is wrong with the name of a store path, as a half-sentence, or undefined. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'nothing follows the hash';
  if (name.length > MAX_NAME_LENGTH) {
    return `its name has ${name.length} characters, more than the ${MAX_NAME_LENGTH} that Nix allows`;
  }
  if (!NAME.test(name)) return 'its name has characters other than A-Z a-z 0-9 + - . _ ? =';
  // Nix refuses these because `.` and `..` would come back as path components when split at a dash.
  if (/^\.\.?(?:-|$)/.test(name)) return 'its name is "." or "..", or starts with ".-" or "..-"';
  return undefined;
}

/**
 * What is wrong with a store's folder, or undefined. Control characters would let a path add lines
 * to a narinfo, so they are refused although a file system accepts them.
 */
export function storeDirProblem(storeDir: string): string | undefined {
  if (!storeDir.startsWith('/')) return 'it is not an absolute path';
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(storeDir)) return 'it has control characters';
  const odd = storeDir
    .split('/')
    .slice(1)
    .find((part) => part === '' || part === '.' || part === '..');
  return odd === undefined ? undefined : 'it has empty, "." or ".." components';
}
