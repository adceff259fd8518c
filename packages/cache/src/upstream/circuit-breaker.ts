import type { Clock } from '@flywheel/base';

/** So many failures in a row, and it is left alone for a while. */
const FAILURES = 3;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Keeps the requests away from a server that fails, so that nobody waits for it: after some failures
 * for a second, then one request tries it, and for twice as long with each one that fails too.
 */
export class CircuitBreaker {
  readonly #clock: Clock;
  #failures = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #closedUntil = 0;
  #isTrying = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a request may be made now. At the end of a pause, true for one. */
  admits(): boolean {
    const now = this.#clock.now();
    if (now < this.#closedUntil) return false;
    if (this.#failures >= FAILURES) {
      // The others wait for what becomes of this one; if that is never said, the next may try.
      this.#isTrying = true;
      this.#closedUntil = now + LONGEST_PAUSE_MS;
    }
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#closedUntil = 0;
    this.#isTrying = false;
  }

  failed(): void {
    this.#failures += 1;
    if (this.#failures < FAILURES) return;
    // Those that were under way when the pause began say nothing new.
    if (this.#failures > FAILURES && !this.#isTrying) return;
    this.#isTrying = false;
    this.#closedUntil = this.#clock.now() + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
  }
}
