import type { z } from 'zod';
import type { Permission } from '../access/permissions.ts';

/** How far a run is, as the API shows it. */
export interface RunProgress {
  /** What it is at, for a person. */
  readonly step: string;
  /** How many of how many, where that is known. */
  readonly done?: number;
  readonly of?: number;
  /** What it needs to go on from here after its process has died: JSON. */
  readonly resume?: unknown;
}

export interface RunContext {
  /** Aborted when the process is to end: the run stops where it is, and is taken up again. */
  readonly signal: AbortSignal;
  /** The `resume` that an interrupted run of this last reported. */
  readonly resume?: unknown;
  /** Cheap: written down once a second at most. */
  readonly report: (progress: RunProgress) => void;
}

/** One kind of maintenance: how it is asked for, when it is due by itself, and what it does. */
export interface RunKind<OPTIONS = unknown> {
  readonly name: string;
  /** The options in the JSON body that asks for it, beside `kind`. They are kept as JSON. */
  readonly options: z.ZodType<OPTIONS>;
  /** What who asks must be allowed: on the cache that `options.cache` names, else on all. */
  readonly permission: Permission;
  /** It runs by itself this long after such a run has ended. */
  readonly due?: {
    readonly everyMs: number;
    readonly options: OPTIONS;
    /** False: a start is no reason to run it before its time, nor to do so at once. */
    readonly atStart?: boolean;
    /** Where it has never run, not before the process is so old. */
    readonly firstAfterMs?: number;
  };
  /** Runs `work` unless another process is at a run of this kind; then the answer is undefined. */
  exclusively<T>(work: () => Promise<T>): Promise<T | undefined>;
  /**
   * Does it, and answers the result as the API shows it. Called again with the same options after a
   * process has died in the middle.
   */
  run(options: OPTIONS, context: RunContext): Promise<unknown>;
  /** Whether a run that nobody asked for has done anything that the log should tell. */
  hasDone(result: unknown): boolean;
}
