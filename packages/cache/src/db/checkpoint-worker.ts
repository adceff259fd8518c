import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { Order } from './checkpoint-orders.ts';

/** Fewer that were not moved yet stay where they are: what is written again meanwhile is moved once. */
const WORTH_PAGES = 2048;

// Opened for each checkpoint and closed again: a connection that stays would keep the write-ahead
// log from being removed when the database is closed.

parentPort?.on('message', (order: Order) => {
  if (order === 'end') {
    parentPort?.close();
    return;
  }
  let pages: number | undefined;
  try {
    using database = new DatabaseSync(workerData as string, { timeout: 0 });
    const checkpoint = (mode: 'noop' | 'passive') => {
      const row = database.prepare(`pragma wal_checkpoint(${mode})`).get();
      return { logged: Number(row?.['log']), moved: Number(row?.['checkpointed']) };
    };
    // SQLite before 3.51 takes it for `passive`.
    const { logged, moved } = checkpoint('noop');
    pages = logged;
    if (order === 'all' || logged - moved >= WORTH_PAGES) checkpoint('passive');
  } catch {
    // A full disk, or a file that is gone: the database itself will say so.
  }
  parentPort?.postMessage(pages);
});
