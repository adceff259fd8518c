import type { IncomingMessage } from 'node:http';
import { FlywheelError, isFlywheelError } from '@flywheel/base';
import { wireError } from './error-response.ts';
import type { BodyPace } from './exchange.ts';

/**
 * The body as it arrives, given up with 408 when its sender does not keep the pace. Only time in
 * which we wait for the sender counts, so an upload that waits for us is never its sender's fault.
 * Patience is used up by waiting and earned back by bytes: silence ends it as surely as single bytes
 * now and then, while a slow line that delivers goes on for days.
 *
 * Leaving the loop early does not cut the connection: the answer still has to go out.
 */
export async function* pacedBody(
  incoming: IncomingMessage,
  { patienceMs, bytesPerSecond }: BodyPace,
  onPiece?: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const pieces = incoming.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  let patience = patienceMs;
  let waitingSince = 0;
  // Counted in looks, so that a time in which this process stood still itself is one look.
  let silentMs = 0;
  let giveUp: ((error: unknown) => void) | undefined;

  const lookEveryMs = Math.min(1000, patienceMs / 4);
  let timer: NodeJS.Timeout | undefined;
  function look(): void {
    // Whoever reads on may also have stopped for good, without an end of the loop: it must not keep
    // the timer, and with it the whole request.
    if (giveUp === undefined) return stopLooking();
    silentMs += lookEveryMs;
    if (silentMs >= patience) giveUp(wireError('RequestTimeout'));
  }
  function stopLooking(): void {
    clearInterval(timer);
    timer = undefined;
  }

  // Not Promise.race with one promise for the whole body: that one would remember every piece.
  function next(): Promise<IteratorResult<Buffer>> {
    waitingSince = performance.now();
    silentMs = 0;
    timer ??= setInterval(look, lookEveryMs).unref();
    return new Promise((resolve, reject) => {
      giveUp = reject;
      pieces.next().then(resolve, reject);
    });
  }

  try {
    for (;;) {
      const { done, value } = await next();
      giveUp = undefined;
      if (done === true) return;
      const waited = performance.now() - waitingSince;
      const earned = (value.length / bytesPerSecond) * 1000;
      patience = Math.min(patienceMs, patience - waited + earned);
      onPiece?.(value.length);
      yield value;
    }
  } catch (cause) {
    if (isFlywheelError(cause)) throw cause;
    throw new FlywheelError('invalid-input', 'the request body broke off before its end', {
      cause,
    });
  } finally {
    stopLooking();
    // Not awaited: it would wait for the silent sender.
    pieces.return?.().catch(() => {});
  }
}
