import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The bytes of packs and database that a server on SQLite keeps in its data directory. The write-ahead
 * log is moved into the database first: it is room to work in, 0 to 40 MiB as it happens to be when one
 * looks.
 */
export async function storedBytes(dataDir: string): Promise<number> {
  const database = join(dataDir, 'cache.db');
  await emptyLog(database);
  let { size: bytes } = await stat(database);
  const packs = join(dataDir, 'packs');
  for (const entry of await readdir(packs, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

async function emptyLog(file: string): Promise<void> {
  using database = new DatabaseSync(file, { timeout: 10_000 });
  const checkpoint = database.prepare('pragma wal_checkpoint(truncate)');
  // SQLite waits for readers and writers, but not for the server's own checkpoint.
  for (let tries = 0; checkpoint.get()?.['busy'] !== 0; tries += 1) {
    if (tries === 100) throw new Error(`the write-ahead log of ${file} stays in use`);
    await sleep(100);
  }
}
