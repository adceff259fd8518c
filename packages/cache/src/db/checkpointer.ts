import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { CHECKPOINT, END } from './checkpoint-orders.ts';

/**
 * What the write-ahead log may grow to before SQLite moves it into the database by itself, in the
 * thread that commits. Far above what is usual: this happens only when the checkpointer is stuck.
 */
export const LOG_LIMIT_PAGES = 32_768;

/** As SQLite's own default. */
const WORTH_BYTES = 4 * 1024 * 1024;
const LOOK_EVERY_MS = 200;

export interface Checkpointer {
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
  let busy = false;
  let stopped = false;
  let written = writes();

  async function look(): Promise<void> {
    if (busy || writes() === written) return;
    busy = true;
    const size = await stat(`${file}-wal`).then(
      (found) => found.size,
      () => 0,
    );
    if (stopped || size < WORTH_BYTES) {
      busy = false;
      return;
    }
    written = writes();
    worker ??= start();
    worker.postMessage(CHECKPOINT);
  }

  function start(): Worker {
    const started = new Worker(new URL('./checkpoint-worker.ts', import.meta.url), {
      workerData: file,
      name: 'checkpoints',
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 32 },
    });
    started.unref();
    started.on('message', () => (busy = false));
    // SQLite's own limit remains.
    started.on('error', () => {});
    started.on('exit', () => {
      worker = undefined;
      busy = false;
    });
    return started;
  }

  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      stopped = true;
      const ending = worker;
      if (ending === undefined) return;
      const ended = new Promise((resolve) => ending.once('exit', resolve));
      // By itself: terminate() was seen to leave one process in thirty hanging (Node 26.10).
      ending.ref();
      ending.postMessage(END);
      await ended;
    },
  };
}
