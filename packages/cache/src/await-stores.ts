// On a first deployment the server may be there before its database, its bucket and their users are.
import { setTimeout as sleep } from 'node:timers/promises';
import { toFlywheelError, type Clock, type ErrorCode, type Logger } from '@flywheel/base';
import { openStores, type StoreOptions, type Stores } from './open-stores.ts';
import { openWaitingRoom, type WaitingRoomOptions } from './waiting-room.ts';

/** How a start waits for what it needs of others. */
export interface WaitOptions {
  /** For so long, milliseconds; default not at all. */
  readonly waitMs?: number | undefined;
  /** Ends the waiting: its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

const AGAIN_MS = 1000;

/**
 * What the next try may find mended. A user that is still to be made is refused like one with a wrong
 * password, so that is waited for as well, with its words in the log.
 */
const MAY_COME: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'not-found',
  'unauthorized',
  'forbidden',
]);

/**
 * Does `work` until it succeeds. While what it needs of others is not there it says once for each
 * reason what it waits for; when the time is over, it throws that.
 */
export async function whileAbsent<T>(
  work: () => Promise<T>,
  options: WaitOptions & { readonly clock: Clock; readonly logger: Logger },
  onWait: () => Promise<void> = () => Promise.resolve(),
): Promise<T> {
  const { waitMs = 0, signal, clock, logger } = options;
  const untilMs = clock.now() + waitMs;
  let known = '';
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const { code, message, details } = toFlywheelError(error);
      if (!MAY_COME.has(code) || clock.now() >= untilMs) throw error;
      await onWait();
      if (message !== known)
        logger.warn('waiting for what is not there', { reason: message, ...details });
      known = message;
    }
    // Its own error would say no more than that it was aborted.
    await sleep(AGAIN_MS, undefined, signal ? { signal } : {}).catch(() => {});
    signal?.throwIfAborted();
  }
}

/** `openStores`, as soon as they can be opened. Meanwhile /healthz and /readyz are answered. */
export async function awaitStores(
  options: StoreOptions & WaitOptions & WaitingRoomOptions,
  clock: Clock,
  logger: Logger,
): Promise<Stores> {
  await using meanwhile = new AsyncDisposableStack();
  let isOpen = false;
  return await whileAbsent(
    () => openStores(options, clock),
    { ...options, clock, logger },
    async () => {
      if (isOpen) return;
      isOpen = true;
      meanwhile.use(await openWaitingRoom(options));
    },
  );
}
