import { createHash } from 'node:crypto';
import { FlywheelError } from '@flywheel/base';
import { encodeBase32 } from './base-32.ts';
import type { ContentAddressMethod } from './content-address.ts';
import { formatHash, formatSha256 } from './hash.ts';
import type { HashAlgorithm } from './hash.ts';
import { DEFAULT_STORE_DIR, nameProblem, parseStorePath, storeDirProblem } from './store-path.ts';

/** A store path's hash is 160 bits. */
const HASH_BYTES = 20;

/**
 * The path Nix gives to something of this type (`source`, `text`, `output:out`, each with its
 * references appended after colons) and inner SHA-256. Throws `invalid-input` for a bad name.
 */
export function makeStorePath(options: {
  readonly type: string;
  readonly innerHash: Uint8Array;
  readonly name: string;
  readonly storeDir?: string;
}): string {
  const { type, innerHash, name, storeDir = DEFAULT_STORE_DIR } = options;
  const problem = storeDirProblem(storeDir) ?? nameProblem(name);
  if (problem !== undefined) {
    throw new FlywheelError('invalid-input', `cannot make a store path for "${name}": ${problem}`);
  }
  const digest = sha256(`${type}:${formatSha256(innerHash, 'hex')}:${storeDir}:${name}`);
  return `${storeDir}/${encodeBase32(compressHash(digest))}-${name}`;
}

/**
 * The path of what a hash fixes: a file (`flat`), or a NAR (`recursive`). Only a recursive SHA-256
 * may have references, full paths here; `hash` is then that of the NAR with the path's own hash
 * replaced by zeros. `algorithm` is sha256 unless given. Throws `invalid-input`.
 */
export function makeFixedOutputPath(options: {
  readonly method: Exclude<ContentAddressMethod, 'text'>;
  readonly hash: Uint8Array;
  readonly algorithm?: HashAlgorithm;
  readonly name: string;
  readonly references?: readonly string[];
  readonly selfReference?: boolean;
  readonly storeDir?: string;
}): string {
  const {
    method,
    hash,
    algorithm = 'sha256',
    name,
    references = [],
    selfReference = false,
  } = options;
  const storeDir = options.storeDir ?? DEFAULT_STORE_DIR;
  if (method === 'recursive' && algorithm === 'sha256') {
    const type =
      typeWithReferences('source', references, storeDir) + (selfReference ? ':self' : '');
    return makeStorePath({ type, innerHash: hash, name, storeDir });
  }
  if (references.length > 0 || selfReference) {
    throw new FlywheelError(
      'invalid-input',
      `cannot make a store path for "${name}": only a recursive sha256 may have references`,
    );
  }
  const prefix = { recursive: 'r:', git: 'git:', flat: '' }[method];
  const innerHash = sha256(`fixed:out:${prefix}${formatHash({ algorithm, digest: hash }, 'hex')}:`);
  return makeStorePath({ type: 'output:out', innerHash, name, storeDir });
}

/** The path of a text (`builtins.toFile`, a derivation) with this SHA-256 and these references. */
export function makeTextPath(options: {
  readonly hash: Uint8Array;
  readonly name: string;
  readonly references: readonly string[];
  readonly storeDir?: string;
}): string {
  const { hash, name, references, storeDir = DEFAULT_STORE_DIR } = options;
  const type = typeWithReferences('text', references, storeDir);
  return makeStorePath({ type, innerHash: hash, name, storeDir });
}

function typeWithReferences(type: string, references: readonly string[], storeDir: string): string {
  for (const reference of references) {
    if (parseStorePath(reference).storeDir !== storeDir) {
      throw new FlywheelError('invalid-input', `the reference ${reference} is not in ${storeDir}`);
    }
  }
  return [type, ...[...new Set(references)].sort()].join(':');
}

/** Folds a digest to 160 bits by XOR. */
function compressHash(digest: Uint8Array): Uint8Array {
  const folded = new Uint8Array(HASH_BYTES);
  digest.forEach((byte, index) => {
    folded[index % HASH_BYTES] = (folded[index % HASH_BYTES] ?? 0) ^ byte;
  });
  return folded;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
