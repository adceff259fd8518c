import { messageOf, type Logger } from '@flywheel/base';
import type { Run, RunMetadata } from '../db/runs.ts';
import type { RetentionMetadata } from '../db/retention-rows.ts';
import type { RunKind, RunProgress } from './run-kind.ts';
import { startReport } from './run-report.ts';

export interface RunLoopOptions {
  readonly metadata: RunMetadata & Pick<RetentionMetadata, 'currentTime'>;
  readonly logger: Logger;
  /** How often to look for runs that other processes were asked for; undefined: there are none. */
  readonly pollMs: number | undefined;
  /** Whether what is due by itself runs at once after the start, whenever it ran last. */
  readonly dueAtStart: boolean;
  /** A run of this process has ended; undefined: it failed. */
  readonly onRun?: (kind: string, result: unknown) => void;
}

export interface RunLoop {
  /** To be called when this process has been asked for a run. */
  nudge(): void;
  /** Interrupts a run under way and waits until it has stopped; it is taken up again later. */
  stop(): Promise<void>;
}

const LOOK_WHETHER_DUE_MS = 60_000;
/** A run that has taken its process with it so often is given up. */
const MAX_ATTEMPTS = 5;

/** Runs one kind of maintenance: what is due by itself, and what was asked for. */
export function startRunLoop(kind: RunKind, options: RunLoopOptions): RunLoop {
  const { metadata, logger, pollMs } = options;
  const ending = new AbortController();
  const startedAt = performance.now();
  let isFirst = options.dueAtStart && kind.due?.atStart !== false;
  let working: Promise<void> | undefined;
  let again = false;

  async function isDue(): Promise<boolean> {
    if (kind.due === undefined) return false;
    if (isFirst) return true;
    const last = await metadata.latestRun(kind.name, true);
    const isYoung = performance.now() - startedAt < (kind.due.firstAfterMs ?? 0);
    if (last === undefined && isYoung) return false;
    const finishedAt = last?.finishedAt ?? 0;
    return (await metadata.currentTime()) - finishedAt >= kind.due.everyMs;
  }

  async function work(mayBeDue: boolean): Promise<void> {
    const due = mayBeDue && (await isDue());
    if (!due && !(await metadata.hasOpenRun(kind.name))) return;
    await kind.exclusively(async () => {
      // Again, because it may have been run while we waited for the lock.
      if (due && (await isDue())) {
        isFirst = false;
        await metadata.requestRun({
          kind: kind.name,
          options: kind.due?.options,
          requestedBy: undefined,
        });
      }
      while (!ending.signal.aborted) {
        const run = await metadata.takeRun(kind.name);
        if (run === undefined) return;
        await perform(run);
      }
    });
  }

  async function perform(run: Run): Promise<void> {
    const { signal } = ending;
    const report = startReport(metadata, run.id);
    try {
      if (run.attempts > MAX_ATTEMPTS) {
        throw new Error(`it was interrupted ${MAX_ATTEMPTS} times; the log may say by what`);
      }
      const result = await kind.run(kind.options.parse(run.options), {
        signal,
        resume: resumeOf(run.progress),
        report: report.note,
      });
      await report.end();
      await metadata.finishRun(run.id, { result });
      options.onRun?.(kind.name, result);
      const isNews = run.requestedBy !== undefined || kind.hasDone(result);
      logger[isNews ? 'info' : 'debug'](`${kind.name} is done`, { run: run.id, result });
    } catch (error) {
      await report.end();
      if (signal.aborted) {
        await metadata.returnRun(run.id);
        return;
      }
      options.onRun?.(kind.name, undefined);
      logger.error(`${kind.name} failed`, { run: run.id, error });
      await metadata.finishRun(run.id, { error: messageOf(error) });
    }
  }

  function turn(mayBeDue: boolean): void {
    if (working !== undefined) {
      again = true;
      return;
    }
    again = false;
    working = work(mayBeDue)
      .catch((error: unknown) => logger.error(`looking for ${kind.name} failed`, { error }))
      .finally(() => {
        working = undefined;
        if (again && !ending.signal.aborted) turn(false);
      });
  }

  const timers = [setInterval(() => turn(true), LOOK_WHETHER_DUE_MS)];
  if (pollMs !== undefined) timers.push(setInterval(() => turn(false), pollMs));
  for (const timer of timers) timer.unref();
  turn(kind.due?.atStart !== false);

  return {
    nudge: () => turn(false),
    async stop() {
      for (const timer of timers) clearInterval(timer);
      ending.abort();
      await working;
    },
  };
}

function resumeOf(progress: unknown): unknown {
  return (progress as RunProgress | null | undefined)?.resume;
}
