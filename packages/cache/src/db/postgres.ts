import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import type { Client, ClientConfig } from 'pg';
import { FlywheelError, messageOf, retry } from '@flywheel/base';
import { ArrayCompiler } from './array-compiler.ts';
import type { DatabaseHandle } from './database.ts';
import { isTransient, sqlState } from './postgres-fault.ts';
import { CountingPool } from './postgres-pool.ts';
import type { Schema } from './schema.ts';

export interface PostgresOptions {
  /** Connections at most; default 10, at least 2. */
  readonly poolSize?: number;
  /** The server gives up a statement after this long; default 30 s. */
  readonly statementTimeoutMs?: number;
  /** How long to wait for a connection; default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string;
  /** Of another program, where nothing is to be changed; a replica will do. */
  readonly readOnly?: boolean;
}

const URL_HINT =
  'write it like postgresql://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full, with special characters of the password percent-encoded';

/** What CloudNativePG still runs; older ones lack nothing but care. */
const OLDEST_VERSION = 14;

const ATTEMPTS = 6;

/**
 * Opens a PostgreSQL database by its URL; `sslmode` means what it means to psql. The server must be
 * reached directly or through a pooler in session mode: advisory locks belong to a session.
 *
 * Throws `invalid-input` for a URL that is none, `unavailable` when the server does not let us in,
 * `unsupported` when it is too old. No message shows the password.
 */
export async function openPostgres(
  url: string,
  options: PostgresOptions = {},
): Promise<DatabaseHandle> {
  // Loaded here, so that those who use SQLite do not pay for it.
  const { Client, Pool, types } = await import('pg');
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  const config: ClientConfig = {
    connectionString: withPsqlMeaning(url),
    application_name: options.applicationName ?? 'flywheel-cache',
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    statement_timeout: statementTimeoutMs,
    // A process that hangs in a transaction must not keep its locks from the others.
    idle_in_transaction_session_timeout: 2 * statementTimeoutMs,
    keepAlive: true,
    ...(options.readOnly === true && { options: '-c default_transaction_read_only=on' }),
    types: {
      getTypeParser: (oid: number, format) =>
        (INTEGER_TYPES.has(oid) ? parseInteger : types.getTypeParser(oid, format)) as never,
    },
  };
  await probe(() => new Client(config), options.readOnly === true);
  const max = Math.max(2, options.poolSize ?? 10);
  // Never closed for being idle: when the password is rotated, no new one can be opened.
  const open = new Pool({ ...config, max, idleTimeoutMillis: 0 });
  const pool = new CountingPool(open, statementTimeoutMs);
  const db = new Kysely<Schema>({ dialect: new ArrayDialect({ pool }) });
  return {
    kind: 'postgres',
    db,
    statements: () => pool.statements,
    // It writes its log away by itself, in processes of its own.
    catchUp: async () => {},
    transaction: (work) => transaction(db, work),
  };
}

class ArrayDialect extends PostgresDialect {
  override createQueryCompiler(): ArrayCompiler {
    return new ArrayCompiler();
  }
}

async function transaction<T>(
  db: Kysely<Schema>,
  work: (tx: Transaction<Schema>) => Promise<T>,
): Promise<T> {
  // Named, because the database's own default may be another: what is looked at again after waiting
  // for a lock must be what is there then.
  return retry(() => db.transaction().setIsolationLevel('read committed').execute(work), {
    attempts: ATTEMPTS,
    firstDelayMs: 20,
    maxDelayMs: 1000,
    when: isTransient,
  });
}

/** Without this, pg takes `sslmode=require` for `verify-full`, and warns of its own future. */
function withPsqlMeaning(url: string): string {
  if (!/^postgres(?:ql)?:\/\//.test(url)) throw badUrl();
  if (url.includes('uselibpqcompat=')) return url;
  return `${url}${url.includes('?') ? '&' : '?'}uselibpqcompat=true`;
}

// int8 and numeric, which is what sum() makes of int8; pg gives them as text.
const INTEGER_TYPES: ReadonlySet<number> = new Set([20, 1700]);

function parseInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new FlywheelError('internal', `the database holds ${text}, which is no safe integer`);
}

/** Connects once, so that what is wrong is said at the start and with names. */
async function probe(create: () => Client, readOnly: boolean): Promise<void> {
  let client: Client;
  try {
    client = create();
  } catch (cause) {
    // A wrong URL or a certificate file that is not there. The error of a wrong URL holds the URL.
    if ((cause as { code?: string }).code === 'ERR_INVALID_URL') throw badUrl();
    throw new FlywheelError('invalid-input', `the URL of the database: ${messageOf(cause)}`);
  }
  client.on('error', () => {});
  const target = `database "${client.database}" on ${client.host}:${client.port} as "${client.user}"`;
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string; replica: boolean }>(
      "select current_setting('server_version') as version, pg_is_in_recovery() as replica",
    );
    checkServer(target, rows[0], readOnly);
  } catch (cause) {
    throw cause instanceof FlywheelError ? cause : openError(target, cause);
  } finally {
    await client.end().catch(() => {});
  }
}

function checkServer(
  target: string,
  server: { readonly version: string; readonly replica: boolean } | undefined,
  readOnly: boolean,
): void {
  const version = server?.version ?? 'unknown';
  if (!(Number.parseInt(version, 10) >= OLDEST_VERSION)) {
    throw new FlywheelError(
      'unsupported',
      `${target} is PostgreSQL ${version}; it must be ${OLDEST_VERSION} or newer`,
    );
  }
  if (server?.replica === true && !readOnly) {
    throw new FlywheelError('unavailable', `${target} is a read-only replica`, {
      details: { hint: 'name the primary; CloudNativePG has a service for it, ending in -rw' },
    });
  }
}

function openError(target: string, cause: unknown): FlywheelError {
  const text = messageOf(cause) || String((cause as { code?: unknown }).code);
  return new FlywheelError('unavailable', `connect to ${target}: ${text}`, {
    cause,
    details: { hint: hintFor(sqlState(cause)) },
  });
}

function hintFor(state: string | undefined): string {
  switch (state) {
    case '28P01':
    case '28000':
      return `check the user and the password in the URL, and pg_hba.conf; ${URL_HINT}`;
    case '3D000':
      return 'create the database first, owned by that user';
    case '53300':
      return 'raise max_connections, or use fewer replicas or smaller pools';
    default:
      return `check that the server runs and is reachable from here; ${URL_HINT}`;
  }
}

function badUrl(): FlywheelError {
  return new FlywheelError('invalid-input', 'this is no URL of a PostgreSQL database', {
    details: { hint: URL_HINT },
  });
}
