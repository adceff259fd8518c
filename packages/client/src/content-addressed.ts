import { createHash } from 'node:crypto';
import type { PathSource } from './path-source.ts';
import {
  DEFAULT_STORE_DIR,
  encodeNar,
  formatContentAddress,
  makeFixedOutputPath,
} from '@flywheel/nix';
import type { NarNode } from '@flywheel/nix';

/**
 * A tree as a store path whose name follows from its contents, so that Nix takes it without a
 * signature. `references` are full store paths that occur in it. `tree` is asked for each reading;
 * the contents go by twice, here for the hash and when they are pushed, and are never held.
 */
export async function contentAddressed(options: {
  readonly name: string;
  readonly tree: () => NarNode;
  readonly references?: readonly string[];
  readonly storeDir?: string;
}): Promise<PathSource> {
  const { name, tree, references = [], storeDir = DEFAULT_STORE_DIR } = options;
  const hash = createHash('sha256');
  let narSize = 0;
  for await (const piece of encodeNar(tree())) {
    hash.update(piece);
    narSize += piece.length;
  }
  const narHash = hash.digest();
  return {
    storePath: makeFixedOutputPath({
      method: 'recursive',
      hash: narHash,
      name,
      references,
      storeDir,
    }),
    references: references.map((path) => path.slice(path.lastIndexOf('/') + 1)),
    narHash,
    narSize,
    ca: formatContentAddress({
      method: 'recursive',
      hash: { algorithm: 'sha256', digest: narHash },
    }),
    sigs: [],
    nar: () => encodeNar(tree()),
  };
}
