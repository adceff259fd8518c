import { afterAll, describe, expect, test } from 'vitest';
import { isMissing, startPostgres } from '@flywheel/testing';
import type { Postgres } from '@flywheel/testing';
import { buildRecordsContract } from '../../packages/cache/src/db/build-records.contract.ts';
import { concurrencyContract } from '../../packages/cache/src/db/concurrency.contract.ts';
import type { DatabaseHandle } from '../../packages/cache/src/db/database.ts';
import { identityRecordsContract } from '../../packages/cache/src/db/identity-records.contract.ts';
import { metadataContract } from '../../packages/cache/src/db/metadata.contract.ts';
import { migrate } from '../../packages/cache/src/db/migrations.ts';
import { pathRecordsContract } from '../../packages/cache/src/db/path-records.contract.ts';
import { openPostgres } from '../../packages/cache/src/db/postgres.ts';
import { retentionContract } from '../../packages/cache/src/db/retention.contract.ts';
import { createSqlMetadata } from '../../packages/cache/src/db/sql-metadata.ts';
import { clockTime } from '../../packages/cache/src/db/time.ts';

const found = await startPostgres();
const postgres = found as Postgres;

afterAll(async () => {
  if (!isMissing(found)) await postgres[Symbol.asyncDispose]();
});

if (isMissing(found)) test('PostgreSQL', ({ skip }) => skip(true, found.missing));

async function openMigrated(url: string): Promise<DatabaseHandle> {
  const database = await openPostgres(url, { poolSize: 6 });
  await migrate(database);
  return database;
}

describe.skipIf(isMissing(found))('PostgreSQL', () => {
  metadataContract(async (clock) => {
    const database = await openMigrated(await postgres.createDatabase());
    return createSqlMetadata(database, clock, clockTime(clock));
  });
  identityRecordsContract(async (clock) => {
    const database = await openMigrated(await postgres.createDatabase());
    return createSqlMetadata(database, clock, clockTime(clock));
  });
  retentionContract(async (clock) => {
    const database = await openMigrated(await postgres.createDatabase());
    return createSqlMetadata(database, clock, clockTime(clock));
  });
  pathRecordsContract(async (clock) => {
    const database = await openMigrated(await postgres.createDatabase());
    return createSqlMetadata(database, clock, clockTime(clock));
  });
  buildRecordsContract(async (clock) => {
    const database = await openMigrated(await postgres.createDatabase());
    return createSqlMetadata(database, clock, clockTime(clock));
  });
});

describe.skipIf(isMissing(found))('several replicas on one PostgreSQL', () => {
  concurrencyContract(async () => {
    const url = await postgres.createDatabase();
    return Promise.all(Array.from({ length: 4 }, () => openMigrated(url)));
  }, [1, 2, 3]);

  test('none of them ever waited for another in a circle', async () => {
    const deadlocks = await postgres.sql('select sum(deadlocks) from pg_stat_database');
    expect(deadlocks).toBe('0');
  });
});
