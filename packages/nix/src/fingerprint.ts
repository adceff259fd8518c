import { formatSha256 } from './hash.ts';
import { parseStorePath } from './store-path.ts';

/**
 * What a signature of a store path signs: `1;<path>;<NAR hash, base-32>;<NAR size>;<references>`.
 * References are base names in any order; Nix verifies over its own sorted set, so they are sorted
 * here. Throws `invalid-input` for a malformed path or hash.
 */
export function fingerprint(info: {
  readonly storePath: string;
  readonly narHash: Uint8Array;
  readonly narSize: number;
  readonly references: readonly string[];
}): string {
  const { storeDir } = parseStorePath(info.storePath);
  const references = [...new Set(info.references)].sort();
  return [
    '1',
    info.storePath,
    formatSha256(info.narHash, 'base32'),
    String(info.narSize),
    references.map((baseName) => `${storeDir}/${baseName}`).join(','),
  ].join(';');
}
