import type { Kysely, Transaction } from 'kysely';
import type { Schema } from './schema.ts';

/** An open database, and what differs between the kinds of it. */
export interface DatabaseHandle {
  readonly kind: 'sqlite' | 'postgres';
  readonly db: Kysely<Schema>;
  /** How many statements it has run. */
  readonly statements: () => number;
  /** Waits until what was written lately is where it belongs. For maintenance, between transactions. */
  readonly catchUp: () => Promise<void>;
  /**
   * All of `work` or nothing, seeing at each statement what others have committed by then. It is
   * run again when the database asks for that or the connection breaks, also when it broke while
   * committing: `work` must find out by itself what an earlier run has done.
   */
  transaction<T>(work: (tx: Transaction<Schema>) => Promise<T>): Promise<T>;
}

/**
 * How many rows one transaction of maintenance may change. SQLite works in this very thread, where
 * nothing else happens meanwhile: a few milliseconds. PostgreSQL has its own, and a round trip costs.
 */
export function batchRows(database: DatabaseHandle): number {
  return database.kind === 'sqlite' ? 128 : 1024;
}

/** What long maintenance does between its short transactions, so that others get their turn. */
export type Rest = () => Promise<unknown>;
