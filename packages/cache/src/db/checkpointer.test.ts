import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { runChild } from '@flywheel/testing';
import { Threads } from '../threads/threads.ts';
import { openSqlite } from './sqlite.ts';

const MIB = 1024 * 1024;

/** Closes it when the checkpointer has just been told of its first work. */
const CLOSE_WHILE_MOVING = `
  import { openSqlite } from '${import.meta.resolve('./sqlite.ts')}';
  import { Threads } from '${import.meta.resolve('../threads/threads.ts')}';
  import { sql } from '${import.meta.resolve('kysely')}';
  const busy = setInterval(() => {}, 1000);
  const threads = new Threads();
  const database = openSqlite(process.argv[2], threads);
  const started = new Promise((seen) => process.once('worker', seen));
  await sql\`create table t (value blob)\`.execute(database.db);
  for (let row = 0; row < 48; row += 1) {
    await sql\`insert into t values (zeroblob(${MIB}))\`.execute(database.db);
  }
  await started;
  clearInterval(busy);
  await database.db.destroy();
  await threads[Symbol.asyncDispose]();
  console.log('closed');
`;

test('a process with nothing else to do closes the database in the middle of a checkpoint', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flywheel-log-'));
  const script = join(folder, 'close.ts');
  await writeFile(script, CLOSE_WHILE_MOVING);
  const command = [process.execPath, script, join(folder, 'cache.db')];
  const { stdout, stderr } = await runChild(command, { env: {}, cwd: folder });
  await rm(folder, { recursive: true });
  expect({ stdout, stderr }).toEqual({ stdout: 'closed\n', stderr: '' });
});

test('who writes all the time and catches up keeps the log short', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flywheel-log-'));
  const file = join(folder, 'cache.db');
  await using threads = new Threads();
  const database = openSqlite(file, threads);
  await sql`create table t (id integer primary key, value blob)`.execute(database.db);
  // More than SQLite's own limit, of which it would have to be made to move pages while it commits.
  for (let written = 0; written < 240; written += 1) {
    await sql`insert or replace into t values (${written % 8}, zeroblob(${MIB}))`.execute(
      database.db,
    );
    // As maintenance rests: the checkpointer looks by the clock.
    await sleep(5);
    await database.catchUp();
  }
  const { size } = await stat(`${file}-wal`);
  await database.db.destroy();
  await rm(folder, { recursive: true });
  expect(size).toBeLessThan(144 * MIB);
});
