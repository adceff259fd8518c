import { FlywheelError } from '@flywheel/base';
import type { TokenKey } from './token-key.ts';

/** The keys that count at a moment. Never changed: other keys are another ring. */
export class KeyRing {
  readonly keys: readonly TokenKey[];
  readonly #signer: TokenKey | undefined;

  /** The last key that can sign is the one that does. */
  constructor(keys: readonly TokenKey[]) {
    this.keys = keys;
    this.#signer = keys.findLast((key) => key.sign !== undefined);
  }

  /** The key that new tokens are signed with. Throws `unsupported` when none can. */
  get signer(): TokenKey {
    if (this.#signer !== undefined) return this.#signer;
    throw new FlywheelError('unsupported', 'none of the token keys can sign', {
      details: { hint: 'add one with ./flywheel cache key add' },
    });
  }

  get canSign(): boolean {
    return this.#signer !== undefined;
  }

  /**
   * The keys that may have made a token with this header. A `kid` that we know narrows it down to
   * that key; another or none does not, for Attic's tools write none and others write their own.
   */
  candidates(algorithm: unknown, kid: unknown): readonly TokenKey[] {
    const fitting = this.keys.filter((key) => key.algorithm === algorithm);
    const named = fitting.filter((key) => key.kid === kid);
    return named.length > 0 ? named : fitting;
  }
}
