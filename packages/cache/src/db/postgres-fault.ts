import { FlywheelError, messageOf } from '@flywheel/base';

/**
 * A statement that did not end as it should for reasons outside of it. Named like the operating
 * system's errors, which `toFlywheelError` knows, and not a FlywheelError: those say that nothing
 * was done, and after a broken connection nobody knows whether the last commit was.
 */
export class PostgresFault extends Error {
  override readonly name = 'PostgresFault';
  readonly code: 'ECONNREFUSED' | 'ECONNRESET' | 'ETIMEDOUT' | 'ENOSPC';

  constructor(code: PostgresFault['code'], message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

// SQLSTATE codes, https://www.postgresql.org/docs/current/errcodes-appendix.html
const FOREIGN_KEY_VIOLATION = '23503';
const UNIQUE_VIOLATION = '23505';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const INVALID_PASSWORD = '28P01';
const DISK_FULL = '53100';
const QUERY_CANCELED = '57014';
const CONNECTION_GONE = new Set([
  '25006', // read-only: the primary that we were connected to has become a replica
  '25P03', // idle in a transaction for too long
  '57P01', // admin_shutdown, also pg_terminate_backend
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle session timeout
]);

/** What a failed statement means. Errors of SQL itself stay as they are. */
export function statementFault(error: unknown): unknown {
  const state = sqlState(error);
  if (state === undefined) {
    if (error instanceof TypeError || error instanceof FlywheelError) return error;
    return new PostgresFault('ECONNRESET', 'the connection to the database was lost', error);
  }
  if (state.startsWith('08') || CONNECTION_GONE.has(state)) {
    return new PostgresFault('ECONNRESET', 'the connection to the database was lost', error);
  }
  if (state === QUERY_CANCELED) {
    return new PostgresFault('ETIMEDOUT', 'the database took too long for a statement', error);
  }
  if (state === DISK_FULL) {
    return new PostgresFault('ENOSPC', 'no space left for the database', error);
  }
  if (state === FOREIGN_KEY_VIOLATION) {
    return new FlywheelError('conflict', 'what this refers to was removed meanwhile', {
      cause: error,
      details: { hint: 'try again; a removed cache must be created again first' },
    });
  }
  return error;
}

/** What it means that no connection was to be had. */
export function connectFault(error: unknown): PostgresFault {
  // Said by pg-pool, without a code, also when all connections are busy for that long.
  if (/timeout/i.test(messageOf(error))) {
    return new PostgresFault('ETIMEDOUT', 'the database has no connection for us', error);
  }
  return new PostgresFault('ECONNREFUSED', 'the database does not answer', error);
}

/** Whether the server is there, and takes another password than ours. */
export function isPasswordRefused(error: unknown): boolean {
  return sqlState(error) === INVALID_PASSWORD;
}

/** Whether the connection is of no use any more. */
export function isConnectionGone(fault: unknown): boolean {
  return fault instanceof PostgresFault && fault.code === 'ECONNRESET';
}

/** Whether running the same transaction again may succeed. */
export function isTransient(fault: unknown): boolean {
  if (fault instanceof PostgresFault) {
    return fault.code === 'ECONNRESET' || fault.code === 'ECONNREFUSED';
  }
  const state = sqlState(fault);
  return (
    state === SERIALIZATION_FAILURE ||
    state === DEADLOCK_DETECTED ||
    // Another transaction inserted the same row: this one finds it next time.
    state === UNIQUE_VIOLATION
  );
}

/** The SQLSTATE of an error that the server sent; undefined for what went wrong on the way. */
export function sqlState(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown };
  return typeof severity === 'string' && typeof code === 'string' ? code : undefined;
}
