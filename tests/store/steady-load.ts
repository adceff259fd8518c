import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { uploadPath, verifyPath, type Server } from './attic-client.ts';
import { generatePath, type GeneratedPath } from './sample-nars.ts';

/** How long pulls and pushes took since the last question, in milliseconds. */
export interface Latencies {
  readonly pulls: readonly number[];
  readonly pushes: readonly number[];
}

export interface SteadyLoad {
  /** What was measured since the last call. */
  take(): Latencies;
  /** Throws what any of its requests has thrown. */
  stop(): Promise<void>;
}

/** Bytes of each path. */
const SIZE = 50_000;
const PAUSE_MS = 4;

/** One client pulls and verifies, one pushes, each with a short pause between two requests. */
export async function startSteadyLoad(server: Server, cache: string): Promise<SteadyLoad> {
  let pulls: number[] = [];
  let pushes: number[] = [];
  const ending = new AbortController();
  const pushed: GeneratedPath[] = [];

  async function push(): Promise<void> {
    const content = randomBytes(SIZE);
    const path = await generatePath(`load-${pushed.length}`, SIZE, () => [content]);
    const startedAt = performance.now();
    await uploadPath(server, cache, path);
    pushes.push(performance.now() - startedAt);
    pushed.push(path);
  }

  async function pull(turn: number): Promise<void> {
    const path = pushed[turn % pushed.length] as GeneratedPath;
    const startedAt = performance.now();
    await verifyPath(server, cache, path);
    pulls.push(performance.now() - startedAt);
  }

  async function repeat(work: (turn: number) => Promise<void>): Promise<void> {
    for (let turn = 0; !ending.signal.aborted; turn += 1) {
      await work(turn);
      await sleep(PAUSE_MS);
    }
  }

  await push();
  const clients = Promise.all([repeat(push), repeat(pull)]);
  // Thrown by `stop`; until then it is nobody's.
  clients.catch(() => {});
  return {
    take() {
      const taken = { pulls, pushes };
      pulls = [];
      pushes = [];
      return taken;
    },
    async stop() {
      ending.abort();
      await clients;
    },
  };
}

/** The value that a share of them does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
