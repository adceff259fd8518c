import { resolve } from 'node:path';
import { collect, FlywheelError, formatBytes, formatDuration } from '@flywheel/base';
import { CacheClient, LocalStore, pushPaths } from '@flywheel/client';
import type { PathSource, PushResult } from '@flywheel/client';
import { findServer } from '../caches/find-server.ts';
import type { ServerFlags } from '../caches/find-server.ts';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED, reportError } from '../exit.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { paths } from './count.ts';
import { explainFailures } from './failures.ts';
import { showTransfer } from './show-transfer.ts';

export interface PushFlags extends OutputFlags, ServerFlags {
  readonly stdin?: boolean;
  readonly jobs: number;
  readonly closure: boolean;
  readonly storeRoot: string;
}

const STDIN_LIMIT_BYTES = 64 * 1024 ** 2;

export async function runPush(
  context: CliContext,
  flags: PushFlags,
  cache = '',
  ...given: readonly string[]
): Promise<void> {
  const output = createOutput(context, flags);
  const names = flags.stdin === true ? [...given, ...(await stdinLines(context))] : given;
  if (names.length === 0 && flags.stdin !== true) throw nothingToPush();
  const sources = await findSources(context, flags, names);
  using client = new CacheClient({ ...(await findServer(context, flags)), cache });
  using pushing = showTransfer(output, `Pushing to ${cache}`);
  const result = await pushPaths({
    client,
    paths: sources,
    jobs: flags.jobs,
    onProgress: pushing.onProgress,
    signal: context.signal,
  });
  const problem = explainFailures(result.failed, 'pushed');
  if (problem === undefined) pushing.progress.finish(summaryOf(result));
  else {
    pushing.progress.fail(`${summaryOf(result)}, ${result.failed.length} failed`);
    output.problem(problem);
    context.process.exitCode = EXIT_FAILED;
  }
  output.result({ cache, ...result, failed: result.failed.map(describeFailure) });
}

/** Paths of the local store, what they refer to before them. */
async function findSources(
  context: CliContext,
  flags: PushFlags,
  names: readonly string[],
): Promise<readonly PathSource[]> {
  const store = new LocalStore({ root: resolve(context.cwd, flags.storeRoot) });
  const storePaths = names.map((name) => store.resolve(resolve(context.cwd, name)));
  const wanted = new Set(storePaths);
  const all = await store.closure([...wanted]);
  return flags.closure ? all : all.filter(({ storePath }) => wanted.has(storePath));
}

async function stdinLines(context: CliContext): Promise<readonly string[]> {
  const text = (await collect(context.process.stdin, STDIN_LIMIT_BYTES)).toString('utf8');
  return text.split('\n').flatMap((line) => line.trim() || []);
}

function summaryOf(result: PushResult): string {
  const { uploaded, present, upstream, bytes, seconds } = result;
  const parts = [
    uploaded.length === 0
      ? 'nothing to upload'
      : `${paths(uploaded.length)} uploaded (${formatBytes(bytes)} in ${formatDuration(seconds * 1000)})`,
    `${present} already there`,
  ];
  if (upstream > 0) parts.push(`${upstream} in upstream caches`);
  return parts.join(', ');
}

function describeFailure(failure: PushResult['failed'][number]) {
  return { storePath: failure.storePath, ...reportError(failure.error) };
}

function nothingToPush(): FlywheelError {
  return new FlywheelError('invalid-input', 'no path is given to push', {
    details: { hint: 'Name store paths after the cache, or use --stdin.' },
  });
}
