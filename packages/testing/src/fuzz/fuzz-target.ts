import { isFlywheelError, type ErrorCode } from '@flywheel/base';

/**
 * Code that takes bytes from strangers. A module of a target exports `openTarget`, which the fuzzer
 * calls in a process of its own.
 */
export interface FuzzTarget {
  /** Folders or files, from the checkout's root: only their coverage counts. */
  readonly covers: readonly string[];
  /** Good inputs to begin with, each at most `maxBytes`. */
  readonly seeds: readonly Uint8Array[];
  /** What no random byte would spell: keywords, separators, odd encodings. */
  readonly dictionary?: readonly (string | Uint8Array)[];
  /** Default 4096. */
  readonly maxBytes?: number;
  /**
   * A power of two, default 64. Best is about what a look at the coverage costs, 1 to 10 ms by the
   * code that is loaded, divided by what an input costs.
   */
  readonly inputsPerLook?: number;
  /**
   * Resolves when the input was taken. Throws a refusal (see `isRefusal`), which is no finding; or
   * anything else, which is one. The same input must do the same again.
   */
  run(input: Uint8Array): void | Promise<void>;
  close?(): Promise<void>;
}

export interface FuzzTargetModule {
  openTarget(): FuzzTarget | Promise<FuzzTarget>;
}

/** The codes that say "this is your fault": what the cache answers with 4xx. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'invalid-input',
  'not-found',
  'already-exists',
  'unauthorized',
  'forbidden',
  'too-large',
  'corrupt',
  'unsupported',
]);

export function isRefusal(thrown: unknown): boolean {
  return isFlywheelError(thrown) && REFUSALS.has(thrown.code);
}

/** For what has to work once an input was accepted: there, a refusal is a finding too. */
export function insist<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new Error(what, { cause });
  }
}
