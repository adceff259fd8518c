import { isStorePathHash } from '@flywheel/nix';
import { wireError } from './error-response.ts';

/** `<hash>.<suffix>`, split at the first dot. Throws the wire's error for a bad hash. */
export function parseStorePathFile(file: string): { hash: string; suffix: string } {
  const dot = file.indexOf('.');
  if (dot === -1) throw wireError('NotFound');
  const hash = file.slice(0, dot);
  // Before any query: what gets further is 32 characters of base-32 and nothing else.
  if (!isStorePathHash(hash))
    throw wireError('InvalidStorePathHash', JSON.stringify(hash.slice(0, 64)));
  return { hash, suffix: file.slice(dot + 1) };
}
