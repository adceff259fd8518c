import { DatabaseSync } from 'node:sqlite';

/** Fewer that were not moved yet stay where they are: what is written again meanwhile is moved once. */
const WORTH_PAGES = 2048;

export interface Checkpoint {
  /** The database. */
  readonly file: string;
  /** Also when few pages are left to move. */
  readonly all: boolean;
}

/**
 * Moves pages of the write-ahead log into the database. Gives how many the log holds, moved or not;
 * undefined when that could not be found out: a full disk, or a file that is gone. The database
 * itself will say so.
 */
export function checkpoint({ file, all }: Checkpoint): number | undefined {
  let pages: number | undefined;
  try {
    // Closed again: a connection that stays would keep the log from being removed with the last one.
    using database = new DatabaseSync(file, { timeout: 0 });
    const run = (mode: 'noop' | 'passive') => {
      const row = database.prepare(`pragma wal_checkpoint(${mode})`).get();
      return { logged: Number(row?.['log']), moved: Number(row?.['checkpointed']) };
    };
    // SQLite before 3.51 takes it for `passive`.
    const { logged, moved } = run('noop');
    pages = logged;
    if (all || logged - moved >= WORTH_PAGES) run('passive');
  } catch {
    return pages;
  }
  return pages;
}
