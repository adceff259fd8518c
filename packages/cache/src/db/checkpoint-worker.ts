import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { END } from './checkpoint-orders.ts';

// Opened for each checkpoint and closed again: a connection that stays would keep the write-ahead
// log from being removed when the database is closed.

parentPort?.on('message', (order) => {
  if (order === END) {
    parentPort?.close();
    return;
  }
  try {
    const database = new DatabaseSync(workerData as string, { timeout: 0 });
    try {
      database.exec('pragma wal_checkpoint(passive)');
    } finally {
      database.close();
    }
  } catch {
    // A full disk, or a file that is gone: the database itself will say so.
  }
  parentPort?.postMessage(null);
});
