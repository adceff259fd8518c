import { FlywheelError } from '@flywheel/base';

/**
 * Notices that what is wrong concerns all paths: the server refuses the token, or has answered
 * nobody for some paths in a row. Waiting out all tries for thousands of paths would help nobody.
 */
export class Outage {
  readonly #limit: number;
  #unanswered = 0;
  /** Why the rest need not be tried. */
  reason: FlywheelError | undefined;

  constructor(jobs: number) {
    this.#limit = Math.max(2, jobs);
  }

  noteSuccess(): void {
    this.#unanswered = 0;
  }

  /** Takes the error of a path for which all tries were in vain. */
  noteFailure(error: FlywheelError): void {
    const status = error.details['status'];
    if (error.code === 'unavailable') this.#unanswered += 1;
    if (status === 401 || status === 403 || this.#unanswered >= this.#limit) this.reason ??= error;
  }
}

/** The error of a path that an outage has spared. */
export function notTried(storePath: string, reason: FlywheelError): FlywheelError {
  const text = `${storePath} was not tried any more after: ${reason.message}`;
  return new FlywheelError(reason.code, text, { cause: reason, details: reason.details });
}
