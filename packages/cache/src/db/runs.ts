import { sql, type Selectable } from 'kysely';
import type { DatabaseHandle } from './database.ts';
import type { RunTable } from './schema.ts';
import type { Now } from './time.ts';

export type RunState = 'waiting' | 'running' | 'done' | 'failed';

/** Maintenance that was asked for, is under way, or was done. Times are milliseconds since the epoch. */
export interface Run {
  readonly id: number;
  readonly kind: string;
  readonly options: unknown;
  /** Undefined: nobody asked for it, it was due. */
  readonly requestedBy: string | undefined;
  readonly requestedAt: number;
  readonly state: RunState;
  readonly attempts: number;
  readonly startedAt: number | undefined;
  /** When its process last said that it is at it. */
  readonly heartbeatAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly progress: unknown;
  readonly result: unknown;
  readonly error: string | undefined;
}

export interface RunRequest {
  readonly kind: string;
  readonly options: unknown;
  readonly requestedBy: string | undefined;
}

/**
 * The queue and the history of maintenance. Of each kind one run is under way at a time; who runs
 * it holds a lock (RunKind.exclusively), so a run that is `running` while nobody has the lock was
 * left by a process that died.
 */
export interface RunMetadata {
  /** Adds a run, or answers the one that waits for the same already. */
  requestRun(request: RunRequest): Promise<Run>;
  findRun(id: number): Promise<Run | undefined>;
  /** Newest first. */
  listRuns(limit: number): Promise<readonly Run[]>;
  /** The newest run of a kind that has ended, among those of no one in particular if `due`. */
  latestRun(kind: string, due?: boolean): Promise<Run | undefined>;
  /** Whether a run of this kind waits, or was left unfinished: a cheap look. */
  hasOpenRun(kind: string): Promise<boolean>;
  /** Takes up the next one, first what was left unfinished. Only under the kind's lock. */
  takeRun(kind: string): Promise<Run | undefined>;
  /** Says that the run goes on, and how far it is. */
  reportRun(id: number, progress: unknown): Promise<void>;
  /** Its process ends before it: it waits again. */
  returnRun(id: number): Promise<void>;
  finishRun(
    id: number,
    outcome: { readonly result: unknown } | { readonly error: string },
  ): Promise<void>;
}

/** Finished runs of each kind that are kept: those of every hour must not push out a yearly one. */
const HISTORY = 200;

export function runQueries(database: DatabaseHandle, now: Now): RunMetadata {
  const { db } = database;
  return {
    requestRun: ({ kind, options, requestedBy }) =>
      database.transaction(async (tx) => {
        const text = JSON.stringify(options);
        const waiting = await tx
          .selectFrom('run')
          .selectAll()
          .where('kind', '=', kind)
          .where('state', '=', 'waiting')
          .where('options', '=', text)
          .executeTakeFirst();
        if (waiting !== undefined) return runOf(waiting);
        const row = await tx
          .insertInto('run')
          .values({
            kind,
            options: text,
            requested_by: requestedBy ?? null,
            requested_at: now(),
            state: 'waiting',
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        return runOf(row);
      }),

    async findRun(id) {
      const row = await db.selectFrom('run').selectAll().where('id', '=', id).executeTakeFirst();
      return row && runOf(row);
    },

    async listRuns(limit) {
      const rows = await db
        .selectFrom('run')
        .selectAll()
        .orderBy('id', 'desc')
        .limit(limit)
        .execute();
      return rows.map(runOf);
    },

    async latestRun(kind, due = false) {
      const row = await db
        .selectFrom('run')
        .selectAll()
        .where('kind', '=', kind)
        .where('finished_at', 'is not', null)
        .$if(due, (query) => query.where('requested_by', 'is', null))
        .orderBy('id', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row && runOf(row);
    },

    async hasOpenRun(kind) {
      const row = await db
        .selectFrom('run')
        .select('id')
        .where('kind', '=', kind)
        // Literally, as the partial index has it.
        .where(sql<boolean>`state in ('waiting', 'running')`)
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
    },

    async takeRun(kind) {
      const next = await db
        .selectFrom('run')
        .select('id')
        .where('kind', '=', kind)
        .where(sql<boolean>`state in ('waiting', 'running')`)
        .orderBy('id')
        .limit(1)
        .executeTakeFirst();
      if (next === undefined) return undefined;
      const row = await db
        .updateTable('run')
        .set({ state: 'running', started_at: now(), heartbeat_at: now() })
        .set({ attempts: sql<number>`attempts + 1` })
        .where('id', '=', next.id)
        .returningAll()
        .executeTakeFirst();
      return row && runOf(row);
    },

    async reportRun(id, progress) {
      await db
        .updateTable('run')
        .set({ heartbeat_at: now(), progress: JSON.stringify(progress) })
        .where('id', '=', id)
        .execute();
    },

    async returnRun(id) {
      await db
        .updateTable('run')
        .set({ state: 'waiting', attempts: sql<number>`attempts - 1` })
        .where('id', '=', id)
        .execute();
    },

    async finishRun(id, outcome) {
      const { kind } = await db
        .updateTable('run')
        .set({ finished_at: now() })
        .set(
          'result' in outcome
            ? { state: 'done', result: JSON.stringify(outcome.result) }
            : { state: 'failed', error: outcome.error },
        )
        .where('id', '=', id)
        .returning('kind')
        .executeTakeFirstOrThrow();
      const oldest = await db
        .selectFrom('run')
        .select('id')
        .where('kind', '=', kind)
        .orderBy('id', 'desc')
        .offset(HISTORY)
        .limit(1)
        .executeTakeFirst();
      if (oldest === undefined) return;
      await db
        .deleteFrom('run')
        .where('kind', '=', kind)
        .where('id', '<=', oldest.id)
        .where('finished_at', 'is not', null)
        .execute();
    },
  };
}

function runOf(row: Selectable<RunTable>): Run {
  return {
    id: row.id,
    kind: row.kind,
    options: JSON.parse(row.options) as unknown,
    requestedBy: row.requested_by ?? undefined,
    requestedAt: row.requested_at,
    state: row.state as RunState,
    attempts: row.attempts,
    startedAt: row.started_at ?? undefined,
    heartbeatAt: row.heartbeat_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    progress: parsed(row.progress),
    result: parsed(row.result),
    error: row.error ?? undefined,
  };
}

function parsed(text: string | null): unknown {
  return text === null ? undefined : JSON.parse(text);
}
