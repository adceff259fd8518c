import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { buildRecordsContract } from './build-records.contract.ts';
import { concurrencyContract } from './concurrency.contract.ts';
import { identityRecordsContract } from './identity-records.contract.ts';
import { metadataContract } from './metadata.contract.ts';
import { retentionContract } from './retention.contract.ts';
import { migrate, SCHEMA_VERSION } from './migrations.ts';
import { pathRecordsContract } from './path-records.contract.ts';
import { createSqlMetadata } from './sql-metadata.ts';
import { openSqlite } from './sqlite.ts';

describe('SQLite', () => {
  metadataContract(async (clock) => {
    const database = openSqlite(':memory:');
    await migrate(database);
    return createSqlMetadata(database, clock);
  });

  identityRecordsContract(async (clock) => {
    const database = openSqlite(':memory:');
    await migrate(database);
    return createSqlMetadata(database, clock);
  });
  retentionContract(async (clock) => {
    const database = openSqlite(':memory:');
    await migrate(database);
    return createSqlMetadata(database, clock);
  });

  pathRecordsContract(async (clock) => {
    const database = openSqlite(':memory:');
    await migrate(database);
    return createSqlMetadata(database, clock);
  });

  buildRecordsContract(async (clock) => {
    const database = openSqlite(':memory:');
    await migrate(database);
    return createSqlMetadata(database, clock);
  });

  // One connection: SQLite's transactions wait for each other, and another handle would block.
  concurrencyContract(async () => {
    const database = openSqlite(':memory:');
    await migrate(database);
    return [database];
  }, [1]);

  test('a file that is no database is corrupt, with what to do, and is not touched', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flywheel-sqlite-'));
    const file = join(folder, 'cache.db');
    await writeFile(
      file,
      'this is not a database, and it is long enough to be looked at '.repeat(20),
    );
    expect(() => openSqlite(file)).toThrow(/cache\.db is damaged/);
    expect(() => openSqlite(join(folder, 'no', 'such', 'folder'))).toThrow(
      /cannot write the database/,
    );
    await rm(folder, { recursive: true });
  });

  test('closed in the middle of a checkpoint, it leaves one whole file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flywheel-sqlite-'));
    const database = openSqlite(join(folder, 'cache.db'));
    const { db } = database;
    await sql`create table page (bytes blob)`.execute(db);
    // Until the checkpointer has looked, and found a log that is worth its while.
    const until = performance.now() + 300;
    while (performance.now() < until) {
      await database.transaction(async (tx) => {
        for (let i = 0; i < 200; i += 1) {
          await sql`insert into page values (zeroblob(4000))`.execute(tx);
        }
      });
      await setImmediate();
    }
    await db.destroy();
    expect(await readdir(folder)).toEqual(['cache.db']);
    await rm(folder, { recursive: true });
  });

  test('migrating twice changes nothing; a newer schema is refused', async () => {
    const database = openSqlite(':memory:');
    const { db } = database;
    await migrate(database);
    await migrate(database);
    await sql`update schema_version set version = ${SCHEMA_VERSION + 1}`.execute(db);
    await expect(migrate(database)).rejects.toThrow(
      `the database has schema version ${SCHEMA_VERSION + 1}; this program knows ${SCHEMA_VERSION}`,
    );
    await db.destroy();
  });
});
