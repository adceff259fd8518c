import { stat } from 'node:fs/promises';
import type { Threads } from '../threads/threads.ts';

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
/** What a log must hold, moved or not, for a thread to be asked. SQLite's own default. */
const WORTH_BYTES = 4 * 1024 * 1024;
const LOOK_EVERY_MS = 200;

export interface Checkpointer {
  /** Waits, when the log has become long, until all of it is in the database. */
  catchUp(): Promise<void>;
  /** Resolves when none is under way and none will be. */
  stop(): Promise<void>;
}

export interface CheckpointerParts {
  /** The database. */
  readonly file: string;
  readonly threads: Threads;
  /** Grows with everything that is written. */
  readonly writes: () => number;
}

/**
 * Moves the write-ahead log of a SQLite database into the database, in a thread. Where maintenance
 * changes pages all over a large database, that is most of the work, and it waits for the disk:
 * measured at 6 of 7 milliseconds of a commit that removes rows (2026-11).
 */
export function startCheckpointer({ file, threads, writes }: CheckpointerParts): Checkpointer {
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
    if (size >= WORTH_BYTES) await (moving ?? move({ all: false }));
  }

  async function move({ all }: { readonly all: boolean }): Promise<void> {
    if (stopped) return;
    written = writes();
    moving = threads
      .run('checkpoint', { file, all })
      // A thread that ended, or will: SQLite's own limit remains.
      .catch(() => undefined)
      .then((logged) => {
        // Who waits for all of it does not write, so that the next write most likely begins it anew.
        loggedPages = all ? 0 : (logged ?? 0);
        moving = undefined;
      });
    await moving;
  }

  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  timer.unref();
  return {
    async catchUp() {
      await moving;
      // Of several who waited, one has begun already.
      if (loggedPages >= CATCH_UP_PAGES) await (moving ?? move({ all: true }));
    },
    async stop() {
      clearInterval(timer);
      stopped = true;
      await moving;
    },
  };
}
