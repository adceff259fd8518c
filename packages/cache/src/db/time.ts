import { sql, type RawBuilder } from 'kysely';
import type { Clock } from '@flywheel/base';
import type { DatabaseHandle } from './database.ts';

/** The current time as an SQL expression: milliseconds since the epoch. */
export type Now = () => RawBuilder<number>;

/** The time of this process: for a database that only this process uses, and for tests. */
export function clockTime(clock: Clock): Now {
  // The cast, because PostgreSQL would have to guess the type in sums and comparisons.
  return () => sql<number>`cast(${clock.now()} as bigint)`;
}

/**
 * The time of the database. Several processes compare each other's times: a lease that one has
 * begun with a condemnation that another has made. Their clocks may differ by more than that takes.
 */
export function databaseTime(): RawBuilder<number> {
  return sql<number>`cast(extract(epoch from statement_timestamp()) * 1000 as bigint)`;
}

export function timeOf(database: DatabaseHandle, clock: Clock): Now {
  return database.kind === 'postgres' ? databaseTime : clockTime(clock);
}
