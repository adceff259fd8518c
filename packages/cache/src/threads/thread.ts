// What a worker thread runs. Loaded by nothing else: others take its types.
import { parentPort } from 'node:worker_threads';
import { checkpoint } from './checkpoint-job.ts';
import { encodeChunks, hashChunks, shareMemory } from './frame-jobs.ts';

const jobs = { shareMemory, hashChunks, encodeChunks, checkpoint };

/** What can be done in a thread. Arguments and results are copied on their way. */
export type Jobs = typeof jobs;
export type JobName = keyof Jobs;
export type JobArgument<Name extends JobName> = Parameters<Jobs[Name]>[0];
export type JobResult<Name extends JobName> = ReturnType<Jobs[Name]>;

export interface Order {
  readonly id: number;
  readonly job: JobName;
  readonly argument: unknown;
}

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

function answer({ id, job, argument }: Order): Answer {
  try {
    return { id, result: (jobs[job] as (argument: unknown) => unknown)(argument) };
  } catch (error) {
    return { id, error: String(error) };
  }
}

parentPort?.on('message', (order: Order | 'end') => {
  if (order === 'end') parentPort?.close();
  else parentPort?.postMessage(answer(order));
});
