import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { FlywheelError, isFlywheelError, messageOf, retry } from '@flywheel/base';

/** A wait within SQLite stops the whole program, so it is short and the longer ones are ours. */
const BUSY_WAIT_MS = 100;
const ATTEMPTS = 8;
const FIRST_DELAY_MS = 50;

// Primary result codes, https://www.sqlite.org/rescode.html
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/**
 * Runs `query` on one state of Nix's database, while Nix may be writing to it, and without ever
 * making it wait: the database is in WAL mode, and the transaction ends with the query.
 *
 * A reader of a WAL needs its -shm file, and only somebody who may write to the folder can create
 * that. For everybody else, while nothing has the database open and so neither file exists, it is
 * read as an immutable file. If Nix starts to write meanwhile, the file's time stamp tells, and the
 * query runs again.
 *
 * Throws `not-found`, `forbidden`, `corrupt`, or `unavailable` when it stays locked.
 */
export async function readStoreDatabase<T>(
  file: string,
  query: (database: DatabaseSync) => T,
): Promise<T> {
  return retry(async () => readOnce(file, query), {
    attempts: ATTEMPTS,
    firstDelayMs: FIRST_DELAY_MS,
    when: (error) => isFlywheelError(error, 'unavailable'),
  });
}

function readOnce<T>(file: string, query: (database: DatabaseSync) => T): T {
  if (!existsSync(file)) {
    throw new FlywheelError('not-found', `there is no Nix database ${file}`, {
      details: { hint: 'is Nix installed? Another root or state directory may be configured' },
    });
  }
  try {
    return inTransaction(file, query);
  } catch (error) {
    const code = sqliteCode(error);
    if (code !== SQLITE_CANTOPEN && code !== SQLITE_READONLY) throw storeError(file, error);
    return readImmutable(file, query, error);
  }
}

function readImmutable<T>(file: string, query: (database: DatabaseSync) => T, reason: unknown): T {
  const before = stampOf(file);
  // What is committed but not yet in the database itself would be overlooked.
  if (hasContents(`${file}-wal`)) throw unreadable(file, reason);
  const url = pathToFileURL(file);
  url.search = 'immutable=1';
  let answer: { readonly value: T } | undefined;
  let failure: unknown;
  try {
    answer = { value: inTransaction(url, query) };
  } catch (error) {
    failure = error;
  }
  if (stampOf(file) !== before) {
    throw new FlywheelError('unavailable', `Nix wrote to ${file} while it was read`);
  }
  if (answer === undefined) throw storeError(file, failure);
  return answer.value;
}

function inTransaction<T>(file: string | URL, query: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_WAIT_MS });
  try {
    database.exec('begin');
    return query(database);
  } finally {
    database.close();
  }
}

function stampOf(file: string): string {
  const { mtimeNs, size, ino } = statSync(file, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}

function hasContents(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function storeError(file: string, error: unknown): unknown {
  const text = `read the Nix database ${file}: ${messageOf(error)}`;
  switch (sqliteCode(error)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new FlywheelError('unavailable', text, { cause: error });
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new FlywheelError('corrupt', text, {
        cause: error,
        details: { hint: 'nix-store --verify tells what is wrong with it' },
      });
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return unreadable(file, error);
    default:
      return error;
  }
}

function unreadable(file: string, cause: unknown): FlywheelError {
  return new FlywheelError(
    'forbidden',
    `cannot read the Nix database ${file}: ${messageOf(cause)}`,
    {
      cause,
      details: {
        hint: 'run this as a user who may read the database and its -wal and -shm files, as root for instance',
      },
    },
  );
}

/** The primary part of SQLite's result code; the higher bytes say more. */
function sqliteCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}
