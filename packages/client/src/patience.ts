import { isFlywheelError } from '@flywheel/base';
import type { RetryOptions } from '@flywheel/base';

/**
 * Half a minute and more, with the first wait at half a second: as long as the failover of a
 * database takes.
 */
const ATTEMPTS_WHILE_BUSY = 7;

/**
 * How often a request is tried: `attempts` times, and longer while the server says 503, because it
 * is there and expects to serve again.
 */
export function patience(attempts: number): Pick<RetryOptions, 'attempts' | 'when'> {
  let failures = 0;
  return {
    attempts: Math.max(attempts, ATTEMPTS_WHILE_BUSY),
    when(error) {
      failures += 1;
      if (!isFlywheelError(error, 'unavailable')) return false;
      return failures < attempts || error.details['status'] === 503;
    },
  };
}
