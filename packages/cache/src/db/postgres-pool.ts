import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import {
  connectFault,
  isConnectionGone,
  isPasswordRefused,
  statementFault,
} from './postgres-fault.ts';

/** Ends with the transaction. Migrations may take long. */
export const NO_TIMEOUT = 'set local statement_timeout = 0';

/** How much longer than the server we wait before the network counts as dead. */
const NETWORK_GRACE_MS = 5000;

/** Between two looks at whether an open connection is free. */
const FREE_POLL_MS = 100;
/** As long as a connection is waited for when all are busy. */
const FREE_POLLS = 100;

/** The part of `pg` that Kysely calls: counts statements, and says what failures mean. */
export class CountingPool implements PostgresPool {
  readonly #pool: Pool;
  readonly #timeoutMs: number;
  readonly #clients = new WeakMap<PoolClient, CountingClient>();
  statements = 0;

  constructor(pool: Pool, timeoutMs: number) {
    this.#pool = pool;
    this.#timeoutMs = timeoutMs;
    // Of connections that nobody uses now, and of those between two statements. Without a listener
    // the process would die. The pool replaces them; the next statement on one fails by itself.
    pool.on('error', () => {});
    pool.on('connect', (client) => client.on('error', () => {}));
  }

  get options(): object {
    return this.#pool.options;
  }

  async connect(): Promise<PostgresPoolClient> {
    const client = await this.#connect();
    let counting = this.#clients.get(client);
    if (counting === undefined) {
      counting = new CountingClient(client, this, this.#timeoutMs);
      this.#clients.set(client, counting);
    }
    return counting;
  }

  end(): Promise<void> {
    return this.#pool.end();
  }

  /**
   * While the password is rotated, a process that has the old one is let in no more, but what it has
   * open stays open: one of those will be free.
   */
  async #connect(): Promise<PoolClient> {
    for (let polls = 0; ; polls += 1) {
      try {
        return await this.#pool.connect();
      } catch (error) {
        const hasOthers = isPasswordRefused(error) && this.#pool.totalCount > 0;
        if (!hasOthers || polls === FREE_POLLS) throw connectFault(error);
      }
      await sleep(FREE_POLL_MS);
    }
  }
}

class CountingClient implements PostgresPoolClient {
  readonly #client: PoolClient;
  readonly #pool: CountingPool;
  readonly #timeoutMs: number;
  #bounded = true;
  #gone = false;

  constructor(client: PoolClient, pool: CountingPool, timeoutMs: number) {
    this.#client = client;
    this.#pool = pool;
    this.#timeoutMs = timeoutMs;
  }

  // Kysely declares a second form, with a cursor, for what we do not use: streams of rows.
  query = (async (sql: string, parameters: readonly unknown[]) => {
    this.#pool.statements += 1;
    if (sql === NO_TIMEOUT) this.#bounded = false;
    if (sql === 'commit' || sql === 'rollback') this.#bounded = true;
    try {
      return await this.#client.query({
        text: sql,
        values: [...parameters],
        ...(this.#bounded && { query_timeout: this.#timeoutMs + NETWORK_GRACE_MS }),
      });
    } catch (error) {
      const fault = statementFault(error);
      this.#gone ||= isConnectionGone(fault);
      // The server rolls back what a lost connection has begun. Throwing here would hide the error
      // that the caller must see.
      if (sql === 'rollback' && this.#gone) return ROLLED_BACK;
      throw fault;
    }
  }) as unknown as PostgresPoolClient['query'];

  release(destroy = false): void {
    this.#client.release(destroy || this.#gone);
  }
}

const ROLLED_BACK: PostgresQueryResult<never> = { command: 'ROLLBACK', rowCount: 0, rows: [] };
