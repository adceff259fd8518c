import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { FlywheelError } from '@flywheel/base';
import type { Answer, JobArgument, JobName, JobResult, Order } from './thread.ts';

/**
 * Worker threads, one for each core, for what would keep the main thread from serving: hashing,
 * compression, and waiting for SQLite's disk. They are the same for all of that, because each costs
 * some 10 MiB of memory. A thread is started when it is first needed.
 */
export class Threads implements AsyncDisposable {
  readonly #limit: number;
  readonly #threads: Thread[] = [];
  readonly #told: Omit<Order, 'id'>[] = [];
  #closed = false;

  constructor(limit = availableParallelism()) {
    this.#limit = limit;
  }

  /** How many there can be. */
  get limit(): number {
    return this.#limit;
  }

  /** Runs a job in the thread with the least to do. Throws `unavailable` when closed. */
  async run<Name extends JobName>(
    job: Name,
    argument: JobArgument<Name>,
  ): Promise<JobResult<Name>> {
    if (this.#closed) throw new FlywheelError('unavailable', 'the server is shutting down');
    return (await this.#pick().ask(job, argument)) as JobResult<Name>;
  }

  /** Runs a job in each thread, also in those that start later, before all others. */
  tell<Name extends JobName>(job: Name, argument: JobArgument<Name>): void {
    this.#told.push({ job, argument });
    for (const thread of this.#threads) thread.tell(job, argument);
  }

  /** Resolves when each has done what it was asked for and has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }

  #pick(): Thread {
    const idle = this.#threads.find((thread) => thread.pending === 0);
    if (idle !== undefined) return idle;
    if (this.#threads.length < this.#limit) return this.#start();
    return this.#threads.reduce((least, one) => (one.pending < least.pending ? one : least));
  }

  #start(): Thread {
    const started = new Thread(() => this.#threads.splice(this.#threads.indexOf(started), 1));
    this.#threads.push(started);
    for (const { job, argument } of this.#told) started.tell(job, argument);
    return started;
  }
}

/** One thread and the answers it owes. */
class Thread {
  readonly #worker: Worker;
  readonly #ended: Promise<unknown>;
  readonly #owed = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;
  #ending = false;

  constructor(onGone: () => void) {
    this.#worker = new Worker(new URL('./thread.ts', import.meta.url), {
      name: 'flywheel',
      // Its garbage is one buffer a chunk: a larger young generation would let hundreds pile up.
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 },
    });
    this.#worker.unref();
    this.#worker.on('message', (answer: Answer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#failAll(error));
    this.#ended = new Promise((ended) => this.#worker.once('exit', ended));
    this.#worker.once('exit', () => {
      onGone();
      this.#failAll(new FlywheelError('unavailable', 'a worker thread ended'));
    });
  }

  get pending(): number {
    return this.#owed.size;
  }

  async ask(job: JobName, argument: unknown): Promise<unknown> {
    const id = (this.#lastId += 1);
    const owed = Promise.withResolvers<unknown>();
    this.#owed.set(id, owed);
    // Somebody waits for it, perhaps with nothing else that keeps the process alive.
    if (this.#owed.size === 1) this.#worker.ref();
    this.#worker.postMessage({ id, job, argument } satisfies Order);
    return owed.promise;
  }

  /** As `ask`; nobody waits for the answer. */
  tell(job: JobName, argument: unknown): void {
    this.#worker.postMessage({ id: 0, job, argument } satisfies Order);
  }

  async end(): Promise<void> {
    // By itself: terminate() in the middle of a checkpoint was seen to leave one process in thirty
    // hanging (Node 26.10).
    this.#ending = true;
    this.#worker.ref();
    this.#worker.postMessage('end');
    await this.#ended;
  }

  #settle(answer: Answer): void {
    const owed = this.#owed.get(answer.id);
    if (owed === undefined) return;
    this.#owed.delete(answer.id);
    // Whoever ends it waits for its end, not only for what it owes.
    if (this.#owed.size === 0 && !this.#ending) this.#worker.unref();
    if ('error' in answer) {
      owed.reject(new FlywheelError('internal', `in a worker thread: ${answer.error}`));
    } else {
      owed.resolve(answer.result);
    }
  }

  #failAll(error: unknown): void {
    for (const owed of this.#owed.values()) owed.reject(error);
    this.#owed.clear();
  }
}
