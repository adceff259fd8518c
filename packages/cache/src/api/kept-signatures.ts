import { isSignature } from '@flywheel/nix';
import { MAX_SIGNATURES } from '../db/put-object.ts';

/**
 * The signatures of a push that are worth keeping. What is none is dropped and no fault: a client
 * passes on what its store has, and nobody relies on it.
 */
export function keptSignatures(sigs: readonly string[]): readonly string[] {
  return [...new Set(sigs.filter(isSignature))].slice(0, MAX_SIGNATURES);
}
