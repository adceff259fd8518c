import { randomBytes } from 'node:crypto';

/** The cache servers that a question has come through, the last one last. */
export const VIA_HEADER = 'x-flywheel-via';

/** More in a row is a mistake. */
const LONGEST = 8;

/**
 * Caches may be each other's upstreams, or their own: each server puts its name on what it asks and
 * passes nothing on that bears it already.
 */
export class Via {
  readonly #name = randomBytes(6).toString('hex');

  /** The header for what is asked on behalf of a request; undefined: it is not to be passed on. */
  onwards(received: string | readonly string[] | undefined): string | undefined {
    const names = String(received ?? '')
      .split(',')
      .filter((name) => name !== '');
    if (names.length >= LONGEST || names.includes(this.#name)) return undefined;
    return [...names, this.#name].join(',');
  }
}
