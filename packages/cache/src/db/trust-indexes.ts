import { sql, type Transaction } from 'kysely';
import type { DatabaseHandle } from './database.ts';
import type { Schema } from './schema.ts';

/**
 * Until the end of the transaction, PostgreSQL takes an index wherever there is one. Maintenance
 * touches few rows of large tables; with statistics that are missing or old, after an import or
 * when most of a table has just been removed, the planner reads all of it for each batch.
 */
export async function trustIndexes(
  database: DatabaseHandle,
  tx: Transaction<Schema>,
): Promise<void> {
  if (database.kind === 'sqlite') return;
  // What is forbidden has a cost that makes every statement worth compiling: half a second each.
  await sql`select set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`.execute(
    tx,
  );
}
