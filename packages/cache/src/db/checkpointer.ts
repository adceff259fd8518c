import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { Order } from './checkpoint-orders.ts';

/**
 * What the write-ahead log may grow to before SQLite moves it into the database by itself, in the
 * thread that commits. Far above what is usual: this happens only when the checkpointer is stuck.
 */
export const LOG_LIMIT_PAGES = 49_152;

/**
 * The log begins anew only when nothing is written between the end of a checkpoint and the next
 * transaction. Maintenance, which writes all the time, has to stand still for that now and then.
 */
const CATCH_UP_PAGES = 24_576;
/** What a log must hold, moved or not, for the thread to be asked. SQLite's own default. */
const WORTH_BYTES = 4 * 1024 * 1024;
const LOOK_EVERY_MS = 200;

export interface Checkpointer {
  /** Waits, when the log has become long, until all of it is in the database. */
  catchUp(): Promise<void>;
  /** Resolves when the thread has ended. */
  stop(): Promise<void>;
}

/**
 * Moves the write-ahead log of a SQLite database into the database, in a thread of its own. Where
 * maintenance changes pages all over a large database, that is most of the work, and it waits for
 * the disk: measured at 6 of 7 milliseconds of a commit that removes rows (2026-11).
 */
export function startCheckpointer(
  file: string,
  /** Grows with everything that is written. */
  writes: () => number,
): Checkpointer {
  let worker: Worker | undefined;
  let moving: Promise<void> | undefined;
  let stopped = false;
  let written = writes();
  let loggedPages = 0;

  async function look(): Promise<void> {
    if (moving !== undefined || writes() === written) return;
    const size = await stat(`${file}-wal`).then(
      (found) => found.size,
      () => 0,
    );
    if (size >= WORTH_BYTES) await (moving ?? move('some'));
  }

  async function move(order: Order): Promise<void> {
    if (stopped) return;
    written = writes();
    const thread = (worker ??= start());
    moving = new Promise((done) => {
      const settle = (logged?: number): void => {
        thread.off('message', settle).off('exit', lost);
        // Its end is waited for too.
        if (!stopped) thread.unref();
        // Who waits for all of it does not write, so that the next write most likely begins it anew.
        loggedPages = order === 'all' ? 0 : (logged ?? 0);
        moving = undefined;
        done();
      };
      const lost = (): void => settle();
      thread.on('message', settle).on('exit', lost);
    });
    // Somebody waits for it, perhaps with nothing else to do.
    if (order === 'all') thread.ref();
    thread.postMessage(order);
    await moving;
  }

  function start(): Worker {
    const started = new Worker(new URL('./checkpoint-worker.ts', import.meta.url), {
      workerData: file,
      name: 'checkpoints',
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 32 },
    });
    started.unref();
    // SQLite's own limit remains.
    started.on('error', () => {});
    started.on('exit', () => (worker = undefined));
    return started;
  }

  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  timer.unref();
  return {
    async catchUp() {
      await moving;
      // Of several who waited, one has begun already.
      if (loggedPages >= CATCH_UP_PAGES) await (moving ?? move('all'));
    },
    async stop() {
      clearInterval(timer);
      stopped = true;
      const ending = worker;
      if (ending === undefined) return;
      const ended = new Promise((resolve) => ending.once('exit', resolve));
      // By itself: terminate() was seen to leave one process in thirty hanging (Node 26.10).
      ending.ref();
      ending.postMessage('end' satisfies Order);
      await ended;
    },
  };
}
