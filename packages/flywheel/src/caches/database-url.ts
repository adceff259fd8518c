import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FlywheelError, toFlywheelError } from '@flywheel/base';
import type { CliContext } from '../context.ts';

/**
 * The URL of the PostgreSQL database, from `--database-file` or FLYWHEEL_DATABASE_URL; undefined for
 * SQLite. There is no flag for the URL itself: it holds a password, and everybody on the machine
 * can read the arguments of a process.
 */
export async function databaseUrl(context: CliContext, file?: string): Promise<string | undefined> {
  if (file === undefined) {
    return context.process.env['FLYWHEEL_DATABASE_URL']?.trim() || undefined;
  }
  const path = resolve(context.cwd, file);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw toFlywheelError(cause, 'read the database file');
  });
  const url = text.trim();
  // Empty would quietly mean SQLite.
  if (url !== '') return url;
  throw new FlywheelError('invalid-input', `${path} is empty`, {
    details: { hint: 'it holds the URL, postgresql://USER:PASSWORD@HOST:5432/DATABASE' },
  });
}
