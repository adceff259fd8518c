import { FlywheelError } from '@flywheel/base';
import { formatHash, parseHash } from './hash.ts';
import type { Hash } from './hash.ts';

/** How the bytes of a content-addressed path were hashed. `git` is Nix's experimental tree hash. */
export type ContentAddressMethod = 'text' | 'flat' | 'recursive' | 'git';

/** Why a store path may be trusted without a signature: its name follows from this. */
export interface ContentAddress {
  readonly method: ContentAddressMethod;
  readonly hash: Hash;
}

const PREFIXES: readonly (readonly [string, ContentAddressMethod])[] = [
  ['text:', 'text'],
  ['fixed:r:', 'recursive'],
  ['fixed:git:', 'git'],
  // After the longer ones that also start with it.
  ['fixed:', 'flat'],
];

/** Reads the `CA` field: `fixed:r:sha256:…`, `fixed:sha1:…`, `text:sha256:…`. Throws `invalid-input`. */
export function parseContentAddress(text: string): ContentAddress {
  const found = PREFIXES.find(([prefix]) => text.startsWith(prefix));
  if (found === undefined) {
    throw new FlywheelError(
      'invalid-input',
      `${JSON.stringify(text)} is not a content address: it has to start with text: or fixed:`,
    );
  }
  const [prefix, method] = found;
  const hash = parseHash(text.slice(prefix.length));
  if (method === 'text' && hash.algorithm !== 'sha256') {
    throw new FlywheelError('invalid-input', `${JSON.stringify(text)}: text is hashed with sha256`);
  }
  return { method, hash };
}

/** Writes the `CA` field, its hash in base-32 as Nix does. */
export function formatContentAddress(address: ContentAddress): string {
  const prefix = PREFIXES.find(([, method]) => method === address.method)?.[0] ?? '';
  return prefix + formatHash(address.hash, 'base32');
}
