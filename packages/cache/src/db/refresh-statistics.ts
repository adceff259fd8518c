import { sql } from 'kysely';
import type { DatabaseHandle } from './database.ts';
import { NO_TIMEOUT } from './postgres-pool.ts';

const LARGE_ROWS = 10_000;

/**
 * Lets PostgreSQL count what its tables hold, where most of it has changed since it last did. It
 * does so by itself, but minutes later; until then, after an import or when much has been removed,
 * it reads whole tables for a batch of rows. Samples only: under a second for millions of rows.
 */
export async function refreshStatistics(database: DatabaseHandle): Promise<void> {
  if (database.kind === 'sqlite') return;
  const { rows } = await sql<{ name: string }>`
    select quote_ident(schemaname) || '.' || quote_ident(relname) as name
    from pg_stat_user_tables
    where relid = any (array['object', 'nar', 'pack', 'nar_pack', 'chunk', 'listing']::regclass[])
      and n_mod_since_analyze > ${LARGE_ROWS}
      and (n_mod_since_analyze > n_live_tup / 2
        or (last_analyze is null and last_autoanalyze is null))`.execute(database.db);
  for (const { name } of rows) {
    await database.transaction(async (tx) => {
      await sql.raw(NO_TIMEOUT).execute(tx);
      await sql.raw(`analyze ${name}`).execute(tx);
    });
  }
}
