import { sql } from 'kysely';
import type { DatabaseHandle } from './database.ts';

/** An arbitrary number that nothing else in the same database uses. */
const RECLAIM_LOCK = 0x666c7977_02;

/**
 * Runs `work` unless a process does so already; then the answer is undefined. The lock ends with
 * the connection, however that ends. Nothing breaks without it, two would only do the same work.
 */
export async function withReclaimLock<T>(
  database: DatabaseHandle,
  work: () => Promise<T>,
): Promise<T | undefined> {
  // SQLite: the process has the database to itself, and one reclaim loop.
  if (database.kind === 'sqlite') return work();
  return database.db.connection().execute(async (connection) => {
    const { rows } = await sql<{
      held: boolean;
    }>`select pg_try_advisory_lock(${RECLAIM_LOCK}) as held`.execute(connection);
    if (rows[0]?.held !== true) return undefined;
    try {
      return await work();
    } finally {
      // Of a connection that was lost meanwhile there is nothing left to unlock.
      await sql`select pg_advisory_unlock(${RECLAIM_LOCK})`.execute(connection).catch(() => {});
    }
  });
}
