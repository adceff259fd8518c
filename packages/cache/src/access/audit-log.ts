import type { Logger } from '@flywheel/base';
import type { AuditEntry, IdentityRecords } from '../db/identity-records.ts';

/**
 * Records every write, in the database and as a line of the log.
 *
 * Pushes are collected and written once a second, some hundred in a statement: one of their own for
 * each path would double the small statements of a push. Whoever kills the process takes the last
 * second of them out of the table; the log has them, and each path names who pushed it. What an
 * administrator does is rare and matters more: it is written before it is answered.
 */
export interface AuditLog {
  /** For what happens often: written within a second. */
  note(entry: AuditEntry): void;
  /** For what must not be answered before it is on record. */
  record(entry: AuditEntry): Promise<void>;
  flush(): Promise<void>;
  /** Entries that are not in the database yet. */
  pending(): number;
  /** Entries of which only the log knows. */
  lost(): number;
  /** Stops the timer and writes what is left, if it can. */
  close(): Promise<void>;
}

const FLUSH_EVERY_MS = 1000;
/** Written at once when so many have come together. */
const BATCH = 256;
/**
 * A few hundred bytes each. Without the database nothing is pushed, so this many do not come; of more
 * only the log knows.
 */
const MAX_PENDING = 10_000;

export function createAuditLog(records: IdentityRecords, logger: Logger): AuditLog {
  let pending: AuditEntry[] = [];
  let lost = 0;
  let writing: Promise<void> = Promise.resolve();

  async function writePending(): Promise<void> {
    const batch = pending;
    pending = [];
    if (batch.length === 0) return;
    try {
      await records.addAudit(batch);
    } catch (error) {
      // In front of what has come meanwhile, as far as there is room.
      const room = Math.max(0, MAX_PENDING - pending.length);
      pending = [...batch.slice(0, room), ...pending];
      lost += Math.max(0, batch.length - room);
      throw error;
    }
  }

  /** One at a time, so that what is given back keeps its place. */
  function flush(): Promise<void> {
    const written = writing.then(writePending);
    writing = written.catch(() => {});
    return written;
  }

  async function tryFlush(): Promise<void> {
    await flush().catch((error: unknown) =>
      logger.warn('audit entries were not written; they are tried again', { error }),
    );
  }

  function add(entry: AuditEntry): void {
    const { tokenId: jti, at: _at, ...fields } = entry;
    logger.info('audit', { ...fields, jti });
    if (pending.length < MAX_PENDING) pending.push(entry);
    else lost += 1;
  }

  const timer = setInterval(() => void tryFlush(), FLUSH_EVERY_MS);
  timer.unref();

  return {
    note(entry) {
      add(entry);
      if (pending.length % BATCH === 0) void tryFlush();
    },
    async record(entry) {
      add(entry);
      await flush();
    },
    flush,
    pending: () => pending.length,
    lost: () => lost,
    async close() {
      clearInterval(timer);
      await tryFlush();
    },
  };
}
