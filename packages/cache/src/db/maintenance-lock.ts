import { sql } from 'kysely';
import type { DatabaseHandle } from './database.ts';

/** Arbitrary numbers that nothing else in the same database uses: one for each kind of work. */
const LOCKS = {
  retention: 0x666c7977_02,
  scrub: 0x666c7977_03,
  snapshot: 0x666c7977_04,
  tidy: 0x666c7977_05,
  'import-attic': 0x666c7977_06,
} as const;

export type MaintenanceLock = keyof typeof LOCKS;

/**
 * Runs `work` unless a process does so already; then the answer is undefined. The lock ends with
 * the connection, however that ends. Nothing breaks without it, two would only do the same work.
 */
export async function withMaintenanceLock<T>(
  database: DatabaseHandle,
  name: MaintenanceLock,
  work: () => Promise<T>,
): Promise<T | undefined> {
  // SQLite: the process has the database to itself, and one loop for each kind.
  if (database.kind === 'sqlite') return work();
  return database.db.connection().execute(async (connection) => {
    const { rows } = await sql<{
      held: boolean;
    }>`select pg_try_advisory_lock(${LOCKS[name]}) as held`.execute(connection);
    if (rows[0]?.held !== true) return undefined;
    try {
      return await work();
    } finally {
      // Of a connection that was lost meanwhile there is nothing left to unlock.
      await sql`select pg_advisory_unlock(${LOCKS[name]})`.execute(connection).catch(() => {});
    }
  });
}
