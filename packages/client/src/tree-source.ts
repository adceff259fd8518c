import { createHash } from 'node:crypto';
import {
  DEFAULT_STORE_DIR,
  encodeNar,
  formatContentAddress,
  makeFixedOutputPath,
} from '@flywheel/nix';
import { narOfPath } from './nar-of-path.ts';
import type { PathSource } from './path-source.ts';

/**
 * A file or folder as the store path that `nix-store --add` would make of it, without Nix: named
 * after the hash of its NAR, without references. Reads it once, to hash it.
 */
export async function treeSource(options: {
  readonly path: string;
  /** What follows the hash in the store path. */
  readonly name: string;
  readonly storeDir?: string;
}): Promise<PathSource> {
  const { path, name, storeDir = DEFAULT_STORE_DIR } = options;
  const hash = createHash('sha256');
  let narSize = 0;
  for await (const piece of encodeNar(narOfPath(path))) {
    hash.update(piece);
    narSize += piece.length;
  }
  const narHash = hash.digest();
  return {
    storePath: makeFixedOutputPath({ method: 'recursive', hash: narHash, name, storeDir }),
    references: [],
    narHash,
    narSize,
    ca: formatContentAddress({
      method: 'recursive',
      hash: { algorithm: 'sha256', digest: narHash },
    }),
    sigs: [],
    nar: () => encodeNar(narOfPath(path)),
  };
}
