import { setTimeout as sleep } from 'node:timers/promises';
import type { BlockCoverage } from './block-coverage.ts';
import { Corpus } from './corpus.ts';
import type { Finding } from './finding.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { Mutator } from './mutator.ts';
import { Random } from './random.ts';
import type { Trials } from './trials.ts';

export interface FuzzLoopOptions {
  readonly seed: number;
  /** How long, or how many inputs; what is reached first ends it. */
  readonly seconds?: number;
  readonly executions?: number;
  /** False: nothing is made of what is new, to compare with. */
  readonly isGuided?: boolean;
}

export interface FuzzReport {
  readonly executions: number;
  readonly executionsPerSecond: number;
  /** Blocks of code that the seeds reached, and that all inputs did. */
  readonly seedBlocks: number;
  readonly blocks: number;
  /** Inputs that are changed further, with the seeds. */
  readonly corpus: number;
  readonly heap: HeapGrowth;
  readonly findings: readonly Finding[];
}

export interface HeapGrowth {
  readonly bytes: number;
  /** Inputs in between, none of which the fuzzer keeps. */
  readonly executions: number;
}

/** Of the budget: until here inputs are looked for, then memory that stays. */
const GUIDED_SHARE = 0.7;
const WARM_SHARE = 0.8;

/** Fuzzes a target whose code was loaded while `coverage` was on. */
export async function fuzz(
  target: FuzzTarget,
  coverage: BlockCoverage,
  trials: Trials,
  options: FuzzLoopOptions,
): Promise<FuzzReport> {
  const { seed, seconds = Infinity, executions = Infinity, isGuided = true } = options;
  const random = new Random(seed);
  const corpus = new Corpus(random);
  const mutator = new Mutator(random, target.dictionary ?? [], target.maxBytes ?? 4096);
  const level = Math.floor(Math.log2(target.inputsPerLook ?? 64));
  const startedAt = performance.now();
  const elapsedSeconds = (): number => (performance.now() - startedAt) / 1000;

  async function runBatches(
    share: number,
    afterBatch: (batch: readonly Uint8Array[]) => Promise<void> = async () => {},
  ): Promise<void> {
    while (trials.executions < executions * share && elapsedSeconds() < seconds * share) {
      const batch = Array.from({ length: 2 ** level }, () =>
        mutator.mutate(corpus.pick(), corpus.other()),
      );
      await trials.run(batch);
      await afterBatch(batch);
    }
  }

  /** Of inputs that did something new together, keeps those that do it alone. */
  async function search(inputs: readonly Uint8Array[], level: number): Promise<void> {
    if (level === 0) return inputs.forEach((input) => corpus.add(input));
    const middle = inputs.length / 2;
    const isNew = async (half: readonly Uint8Array[]): Promise<boolean> => {
      await trials.run(half);
      return coverage.look(level - 1);
    };
    const [first, second] = [inputs.slice(0, middle), inputs.slice(middle)];
    const isInFirst = await isNew(first);
    if (isInFirst) await search(first, level - 1);
    // What is not in the first half is in the second, if not in both together: a single one must show it.
    if ((!isInFirst && level > 1) || (await isNew(second))) await search(second, level - 1);
  }

  for (const input of target.seeds) {
    await trials.run([input]);
    coverage.look(0);
    corpus.add(input);
  }
  const seedBlocks = coverage.blocks;
  await runBatches(GUIDED_SHARE, async (batch) => {
    if (isGuided && coverage.look(level)) await search(batch, level);
  });
  coverage.stop();

  await runBatches(WARM_SHARE);
  const warm = { bytes: await heapBytes(), executions: trials.executions };
  await runBatches(1);
  const heap = {
    bytes: (await heapBytes()) - warm.bytes,
    executions: trials.executions - warm.executions,
  };
  return {
    executions: trials.executions,
    executionsPerSecond: Math.round(trials.executions / elapsedSeconds()),
    seedBlocks,
    blocks: coverage.blocks,
    corpus: corpus.size,
    heap,
    findings: trials.findings,
  };
}

/** Bytes in use after a collection. Needs `--expose-gc`. */
async function heapBytes(): Promise<number> {
  // What is closing, or waits for a moment, is garbage soon.
  for (let i = 0; i < 3; i += 1) {
    await sleep(30);
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}
