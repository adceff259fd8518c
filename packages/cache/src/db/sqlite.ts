import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync, type SQLInputValue } from 'node:sqlite';
import {
  Kysely,
  SqliteDialect,
  SqliteDriver,
  SqliteQueryCompiler,
  type SelectModifierNode,
  type SqliteDatabase,
  type SqliteStatement,
} from 'kysely';
import { FlywheelError, messageOf } from '@flywheel/base';
import { LOG_LIMIT_PAGES, startCheckpointer, type Checkpointer } from './checkpointer.ts';
import type { DatabaseHandle } from './database.ts';
import type { Schema } from './schema.ts';
import type { Threads } from '../threads/threads.ts';

/**
 * Opens the database file (or `:memory:`). WAL with synchronous=normal: a power cut may lose the
 * last commits, never the database; a killed process loses nothing. Throws `corrupt` for a file
 * that is no intact SQLite database. A file's write-ahead log is moved into it in one of `threads`;
 * without them SQLite does that now and then while it commits.
 */
export function openSqlite(file: string, threads?: Threads): DatabaseHandle {
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: true });
    database.exec('pragma journal_mode = wal; pragma synchronous = normal;');
    if (threads !== undefined) database.exec(`pragma wal_autocheckpoint = ${LOG_LIMIT_PAGES}`);
    // Bounded, so that the working set of a big store cannot push the process past its memory.
    database.exec('pragma cache_size = -2048; pragma temp_store = memory;');
    if (file === ':memory:' || statSync(file).size < QUICK_CHECK_LIMIT) quickCheck(database);
  } catch (cause) {
    throw openError(file, cause);
  }
  const adapter = new SqliteAdapter(database);
  const checkpointer =
    threads && startCheckpointer({ file, threads, writes: () => adapter.writes });
  const db = new Kysely<Schema>({ dialect: new LocklessDialect(adapter, checkpointer) });
  return {
    kind: 'sqlite',
    db,
    statements: () => adapter.statements,
    catchUp: async () => checkpointer?.catchUp(),
    transaction: (work) => db.transaction().execute(work),
  };
}

/** Opens a database of another program, in which nothing is changed. Throws `unavailable`. */
export function openSqliteToRead(file: string): Kysely<Schema> {
  try {
    const database = new DatabaseSync(file, { timeout: 5000, readOnly: true });
    // Fails here, and not at the first question, when its log cannot be opened.
    database.exec('select count(*) from sqlite_master');
    const adapter = new SqliteAdapter(database);
    return new Kysely<Schema>({ dialect: new LocklessDialect(adapter) });
  } catch (cause) {
    throw new FlywheelError('unavailable', `read the database ${file}: ${messageOf(cause)}`, {
      cause,
      details: {
        hint: 'when it is in a folder that cannot be written, copy it elsewhere, with its -wal file if it has one',
      },
    });
  }
}

// Reads the whole file: a good second per GiB, which a start of a large store should not cost.
const QUICK_CHECK_LIMIT = 64 * 1024 * 1024;

function quickCheck(database: DatabaseSync): void {
  const row = database.prepare('pragma quick_check(1)').get() as { quick_check: string };
  if (row.quick_check !== 'ok') throw new Error(row.quick_check);
}

/** There is one connection and one transaction at a time: rows need no locks, SQL has none for it. */
class LocklessDialect extends SqliteDialect {
  readonly #database: SqliteDatabase;
  readonly #checkpointer: Checkpointer | undefined;

  constructor(database: SqliteDatabase, checkpointer?: Checkpointer) {
    super({ database });
    this.#database = database;
    this.#checkpointer = checkpointer;
  }

  override createDriver(): SqliteDriver {
    return new CheckpointedDriver(this.#database, this.#checkpointer);
  }

  override createQueryCompiler(): SqliteQueryCompiler {
    return new LocklessCompiler();
  }
}

class CheckpointedDriver extends SqliteDriver {
  readonly #checkpointer: Checkpointer | undefined;

  constructor(database: SqliteDatabase, checkpointer: Checkpointer | undefined) {
    super({ database });
    this.#checkpointer = checkpointer;
  }

  override async destroy(): Promise<void> {
    // Who closes last folds the write-ahead log away.
    await this.#checkpointer?.stop();
    await super.destroy();
  }
}

class LocklessCompiler extends SqliteQueryCompiler {
  protected override visitSelectModifier(node: SelectModifierNode): void {
    const isLock = node.modifier !== undefined && node.modifier !== 'Distinct';
    if (!isLock) super.visitSelectModifier(node);
  }
}

/** The small part of better-sqlite3 that Kysely calls, with prepared statements kept by their SQL. */
class SqliteAdapter implements SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, SqliteStatement>();
  statements = 0;
  writes = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  prepare(sql: string): SqliteStatement {
    this.statements += 1;
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    if (sql === 'rollback') return this.#rollback;
    const statement = this.#adapt(this.#database.prepare(sql));
    // Statements with lists differ by their length; the bound is far above what the store uses.
    if (this.#prepared.size < 1000) this.#prepared.set(sql, statement);
    return statement;
  }

  #adapt(statement: StatementSync): SqliteStatement {
    return {
      reader: statement.columns().length > 0,
      all: (parameters) => guarded(() => statement.all(...(parameters as SQLInputValue[]))),
      run: (parameters) => {
        this.writes += 1;
        return guarded(() => statement.run(...(parameters as SQLInputValue[])));
      },
      iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
    };
  }

  /**
   * SQLite rolls back by itself when the disk is full. A second rollback would fail, and hide the
   * error that the caller must see.
   */
  readonly #rollback: SqliteStatement = {
    reader: false,
    all: () => [],
    iterate: () => [][Symbol.iterator](),
    run: () => {
      if (this.#database.isTransaction) this.#database.exec('rollback');
      return { changes: 0, lastInsertRowid: 0 };
    },
  };

  close(): void {
    this.#prepared.clear();
    this.#database.close();
  }
}

function guarded<T>(query: () => T): T {
  try {
    return query();
  } catch (cause) {
    const { errcode = 0 } = cause as { errcode?: number };
    if (errcode % 256 === SQLITE_FULL) {
      throw new FlywheelError('no-space', 'no space left for the database', { cause });
    }
    if (errcode === SQLITE_CONSTRAINT_FOREIGNKEY) {
      throw new FlywheelError('conflict', 'what this refers to was removed meanwhile', {
        cause,
        details: { hint: 'try again; a removed cache must be created again first' },
      });
    }
    throw cause;
  }
}

// Result codes, https://www.sqlite.org/rescode.html
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_READONLY = 8;
const SQLITE_NOTADB = 26;
const SQLITE_CONSTRAINT_FOREIGNKEY = 787;

function openError(file: string, cause: unknown): FlywheelError {
  const code = ((cause as { errcode?: number }).errcode ?? SQLITE_CORRUPT) & 0xff;
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) {
    return new FlywheelError('corrupt', `the database ${file} is damaged: ${messageOf(cause)}`, {
      cause,
      details: {
        hint: `nothing was changed; restore ${file} from a backup, or move it (with its -wal and -shm files) away to start with an empty index`,
      },
    });
  }
  if (code === SQLITE_READONLY || code === SQLITE_CANTOPEN) {
    return new FlywheelError(
      'forbidden',
      `cannot write the database ${file}: ${messageOf(cause)}`,
      {
        cause,
        details: {
          hint: 'check the owner and mode of the data directory, or choose another with --data',
        },
      },
    );
  }
  if (code === SQLITE_FULL) {
    return new FlywheelError('no-space', `no space left for the database ${file}`, { cause });
  }
  return new FlywheelError('unavailable', `open the database ${file}: ${messageOf(cause)}`, {
    cause,
  });
}
