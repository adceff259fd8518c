import { FlywheelError, type Clock } from '@flywheel/base';
import type { DatabaseHandle } from './db/database.ts';
import { awaitSchema, migrate, SCHEMA_VERSION } from './db/migrations.ts';
import { openPostgres } from './db/postgres.ts';

/**
 * What a server does of the whole: `api` answers clients, `gc` reclaims and is only watched, `all`
 * does both. Any number of each may share a database; one at a time reclaims.
 */
export type ServerRole = 'all' | 'api' | 'gc';

/** How long a replica waits for whoever migrates. */
const SCHEMA_WAIT_MS = 60_000;

/**
 * A server that does everything also brings the schema up to date. The others wait for it: with
 * many replicas, one step of the deployment migrates, before any of them is new.
 */
export async function prepareSchema(
  database: DatabaseHandle,
  role: ServerRole,
  clock: Clock,
): Promise<void> {
  if (role === 'all') await migrate(database);
  else await awaitSchema(database, { waitMs: SCHEMA_WAIT_MS, clock });
}

/** SQLite belongs to one process, which must then do everything. */
export function requireWhole(role: ServerRole): void {
  if (role === 'all') return;
  throw new FlywheelError('invalid-input', `role ${role} needs a database that servers can share`, {
    details: { hint: 'give the URL of a PostgreSQL database, or leave out --role' },
  });
}

/**
 * Brings the schema of a PostgreSQL database up to date and answers with its version. Of several
 * processes at once one does it. Throws like `openPostgres`, and `unsupported` for a newer schema.
 */
export async function migrateDatabase(url: string): Promise<number> {
  const database = await openPostgres(url);
  try {
    await migrate(database);
    return SCHEMA_VERSION;
  } finally {
    await database.db.destroy();
  }
}
