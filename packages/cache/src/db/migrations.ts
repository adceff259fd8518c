import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import { FlywheelError, type Clock } from '@flywheel/base';
import { BUILD_TABLES } from './build-records.ts';
import type { DatabaseHandle } from './database.ts';
import { IDENTITY_TABLES } from './identity-tables.ts';
import { PATH_INDEXES } from './path-records.ts';
import { NO_TIMEOUT } from './postgres-pool.ts';
import type { Schema } from './schema.ts';

interface Migration {
  readonly version: number;
  /** For SQLite; what PostgreSQL says otherwise, `postgresText` knows. */
  readonly statements: readonly string[];
  /** What only PostgreSQL is to be told besides. */
  readonly postgres?: readonly string[];
}

// Forward only. A migration that has shipped is never edited; the next one mends it. Replicas of
// the version before still run beside a new schema: columns are added with a default, never taken.
const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    statements: [
      `create table cache (
         id integer primary key,
         name text not null unique,
         secret_key text not null,
         is_public integer not null,
         store_dir text not null,
         priority integer not null,
         upstream_cache_key_names text not null,
         retention_period integer,
         created_at integer not null)`,
      `create table nar (
         id integer primary key,
         hash blob not null unique,
         size integer not null,
         file_size integer not null,
         segments text not null,
         damaged integer not null default 0,
         created_at integer not null)`,
      `create table object (
         cache_id integer not null references cache (id) on delete cascade,
         store_path_hash text not null,
         store_path text not null,
         nar_id integer not null references nar (id),
         "references" text not null,
         deriver text,
         system text,
         sigs text not null,
         ca text,
         created_at integer not null,
         last_used_at integer not null,
         created_by text,
         primary key (cache_id, store_path_hash)) without rowid`,
      `create index object_nar on object (nar_id)`,
      `create table pack (
         id integer primary key,
         key text not null unique,
         size integer not null,
         condemned_at integer,
         created_at integer not null)`,
      `create index pack_condemned on pack (condemned_at) where condemned_at is not null`,
      `create table nar_pack (
         nar_id integer not null references nar (id) on delete cascade,
         pack_id integer not null references pack (id),
         primary key (nar_id, pack_id)) without rowid`,
      `create index nar_pack_pack on nar_pack (pack_id)`,
      `create table chunk (
         hash blob primary key,
         pack_id integer not null references pack (id) on delete cascade,
         "offset" integer not null,
         length integer not null,
         size integer not null) without rowid`,
      `create index chunk_pack on chunk (pack_id)`,
      `create table lease (
         id text primary key,
         started_at integer not null,
         expires_at integer not null,
         nar_id integer) without rowid`,
      `create table staged_nar (
         cache_id integer not null references cache (id) on delete cascade,
         file_name text not null,
         nar_id integer not null references nar (id) on delete cascade,
         expires_at integer not null,
         primary key (cache_id, file_name)) without rowid`,
      `create index staged_nar_nar on staged_nar (nar_id)`,
      `create table listing (
         nar_id integer primary key references nar (id) on delete cascade,
         body blob not null)`,
    ],
  },
  {
    version: 2,
    statements: [
      `alter table pack add column lost integer not null default 0`,
      `alter table lease add column dead integer not null default 0`,
    ],
  },
  { version: 3, statements: IDENTITY_TABLES },
  {
    version: 4,
    statements: [
      `alter table cache add column quota_bytes integer`,
      `alter table cache add column pins_version integer not null default 0`,
      `alter table object add column doomed_at integer`,
      `alter table pack add column keep_until integer`,
      `drop index pack_condemned`,
      `create index pack_condemned on pack (id) where condemned_at is not null`,
      `create table sparse_pack (
         pack_id integer primary key,
         noted_at integer not null)`,
      `create table pin (
         id integer primary key,
         cache_id integer not null references cache (id) on delete cascade,
         name text not null,
         keep_revisions integer not null,
         keep_seconds integer,
         latest integer not null,
         unique (cache_id, name))`,
      `create table pin_revision (
         pin_id integer not null references pin (id) on delete cascade,
         store_path_hash text not null,
         store_path text not null,
         revision integer not null,
         created_at integer not null,
         created_by text,
         primary key (pin_id, store_path_hash)) without rowid`,
      `create table run (
         id integer primary key,
         kind text not null,
         options text not null,
         requested_by text,
         requested_at integer not null,
         state text not null,
         attempts integer not null default 0,
         started_at integer,
         heartbeat_at integer,
         finished_at integer,
         progress text,
         result text,
         error text)`,
      `create index run_open on run (kind, id) where state in ('waiting', 'running')`,
    ],
  },
  {
    version: 5,
    statements: [
      ...PATH_INDEXES,
      ...BUILD_TABLES,
      `alter table cache add column upstreams text not null default '[]'`,
    ],
  },
  {
    version: 6,
    statements: [
      `create table attic_place (
         id integer primary key,
         location text not null unique,
         created_at integer not null,
         finished_at integer,
         gathered_at integer)`,
    ],
  },
  {
    version: 7,
    // Without it, a condemnation changes no index; who looks for condemned packs passes over all.
    statements: [`drop index pack_condemned`],
    // A row that is changed stays on its page, where no index needs to know of it.
    postgres: [
      `alter table object set (fillfactor = 80)`,
      `alter table pack set (fillfactor = 80)`,
    ],
  },
];

export const SCHEMA_VERSION = MIGRATIONS.at(-1)?.version ?? 0;

/**
 * Brings the database to this program's schema, in one transaction. Of several processes at once
 * one does it and the others wait. A database that a newer program has written is refused rather
 * than guessed at.
 */
export async function migrate(database: DatabaseHandle): Promise<void> {
  const isPostgres = database.kind === 'postgres';
  await database.transaction(async (tx) => {
    if (isPostgres) {
      await sql.raw(NO_TIMEOUT).execute(tx);
      await sql`select pg_advisory_xact_lock(${MIGRATE_LOCK})`.execute(tx);
    }
    await sql`create table if not exists schema_version (version integer not null)`.execute(tx);
    const current = await readVersion(tx);
    if (current > SCHEMA_VERSION) throw tooNew(current);
    if (current === SCHEMA_VERSION) return;
    for (const { version, statements, postgres: more = [] } of MIGRATIONS) {
      if (version <= current) continue;
      const texts = isPostgres ? [...statements.map(postgresText), ...more] : statements;
      for (const text of texts) await sql.raw(text).execute(tx);
    }
    await sql`delete from schema_version`.execute(tx);
    await sql`insert into schema_version (version) values (${SCHEMA_VERSION})`.execute(tx);
  });
}

/**
 * Waits up to `waitMs` until another process has brought the database to this program's schema.
 * Throws `unavailable` when none has, and refuses a newer one as `migrate` does.
 */
export async function awaitSchema(
  database: DatabaseHandle,
  { waitMs, clock }: { readonly waitMs: number; readonly clock: Clock },
): Promise<void> {
  for (const until = clock.now() + waitMs; ; await sleep(SCHEMA_POLL_MS)) {
    const current = await versionIfAny(database);
    if (current > SCHEMA_VERSION) throw tooNew(current);
    if (current === SCHEMA_VERSION) return;
    if (clock.now() >= until) throw tooOld(current);
  }
}

const SCHEMA_POLL_MS = 500;

async function versionIfAny(database: DatabaseHandle): Promise<number> {
  const tables = await database.db.introspection.getTables();
  return tables.some(({ name }) => name === 'schema_version') ? readVersion(database.db) : 0;
}

async function readVersion(db: Kysely<Schema>): Promise<number> {
  const { rows } = await sql<{ version: number }>`select version from schema_version`.execute(db);
  return rows[0]?.version ?? 0;
}

/** An arbitrary number that nothing else in the same database uses. */
const MIGRATE_LOCK = 0x666c7977_01;

/**
 * The same table in PostgreSQL's words. One text for both: a column that one of them lacks cannot
 * happen. SQLite's integers have 8 bytes, PostgreSQL's 4.
 */
function postgresText(statement: string): string {
  return statement
    .replaceAll(
      /\binteger primary key\b(?! references)/g,
      'bigint generated by default as identity primary key',
    )
    .replaceAll(/\binteger\b/g, 'bigint')
    .replaceAll(/\bblob\b/g, 'bytea')
    .replaceAll(/\) without rowid\b/g, ')');
}

function tooOld(current: number): FlywheelError {
  const found = current === 0 ? 'has no schema yet' : `has schema version ${current}`;
  return new FlywheelError(
    'unavailable',
    `the database ${found}; this program needs ${SCHEMA_VERSION}`,
    { details: { hint: 'run `flywheel cache serve --role migrate` of this version first' } },
  );
}

function tooNew(current: number): FlywheelError {
  return new FlywheelError(
    'unsupported',
    `the database has schema version ${current}; this program knows ${SCHEMA_VERSION}`,
    {
      details: { hint: 'run the version of flywheel that last used this database, or a newer one' },
    },
  );
}
