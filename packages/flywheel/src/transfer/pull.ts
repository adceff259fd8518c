import { mkdir } from 'node:fs/promises';
import { lstatSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { drain, FlywheelError, formatBytes, formatDuration, toFlywheelError } from '@flywheel/base';
import { CacheClient, discardNar, pullPaths, unpackInto } from '@flywheel/client';
import type { CacheConfig, PullResult, PullSink } from '@flywheel/client';
import { DEFAULT_STORE_DIR, isStorePathHash, parseStorePath, PublicKey } from '@flywheel/nix';
import { findServer } from '../caches/find-server.ts';
import type { ServerFlags } from '../caches/find-server.ts';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED, reportError } from '../exit.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { paths } from './count.ts';
import { explainFailures } from './failures.ts';
import { showTransfer } from './show-transfer.ts';

export interface PullFlags extends OutputFlags, ServerFlags {
  readonly to?: string;
  readonly verifyOnly?: boolean;
  readonly trustedKey?: readonly string[];
  readonly jobs: number;
}

export async function runPull(
  context: CliContext,
  flags: PullFlags,
  cache = '',
  ...given: readonly string[]
): Promise<void> {
  const output = createOutput(context, flags);
  const hashes = given.map(hashOf);
  const target = targetOf(context, flags);
  using client = new CacheClient({ ...(await findServer(context, flags)), cache });
  const config = await client.cacheConfig();
  const folder = target === undefined ? undefined : await makeStore(target, config);
  const label = folder === undefined ? `Verifying ${cache}` : `Pulling from ${cache}`;
  using pulling = showTransfer(output, label);
  const result = await pullPaths({
    client,
    hashes,
    closure: true,
    trustedKeys: trustedKeys(flags, config, client),
    sink: folder === undefined ? discardNar : unpackMissing(folder),
    jobs: flags.jobs,
    onProgress: pulling.onProgress,
    signal: context.signal,
  });
  const problem = explainFailures(result.failed, 'pulled');
  if (problem === undefined) pulling.progress.finish(summaryOf(result, folder));
  else {
    pulling.progress.fail(`${summaryOf(result, folder)}, ${result.failed.length} failed`);
    output.problem(problem);
    context.process.exitCode = EXIT_FAILED;
  }
  output.result({
    cache,
    ...(folder === undefined ? {} : { folder }),
    pulled: result.pulled.map(({ storePath, narSize }) => ({ storePath, narSize })),
    failed: result.failed.map(({ hash, storePath, error }) => {
      return { hash, ...(storePath === undefined ? {} : { storePath }), ...reportError(error) };
    }),
    bytes: result.bytes,
    seconds: result.seconds,
  });
}

/** `/nix/store/<hash>-<name>`, `<hash>-<name>`, or the hash alone. */
function hashOf(text: string): string {
  if (isStorePathHash(text)) return text;
  return parseStorePath(text.includes('/') ? text : `${DEFAULT_STORE_DIR}/${text}`).hash;
}

/** Undefined keeps nothing. */
function targetOf(context: CliContext, flags: PullFlags): string | undefined {
  if ((flags.to === undefined) === (flags.verifyOnly === true)) {
    return flags.to === undefined ? undefined : resolve(context.cwd, flags.to);
  }
  throw new FlywheelError('invalid-input', 'say where to: either --to DIR or --verify-only');
}

function trustedKeys(
  { trustedKey }: PullFlags,
  { publicKey }: CacheConfig,
  { cache, endpoint }: CacheClient,
): readonly PublicKey[] {
  if (trustedKey !== undefined) return trustedKey.map((text) => PublicKey.parse(text));
  if (publicKey !== undefined) return [PublicKey.parse(publicKey)];
  throw new FlywheelError('unsupported', `${endpoint} does not tell the public key of ${cache}`, {
    details: { hint: 'Name the keys to trust with --trusted-key.' },
  });
}

async function makeStore(target: string, config: CacheConfig): Promise<string> {
  const folder = join(target, config.storeDir ?? DEFAULT_STORE_DIR);
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw toFlywheelError(error, `make ${folder}`);
  });
  return folder;
}

/** What is unpacked already was verified then; it is verified again as it comes, and left alone. */
function unpackMissing(folder: string): PullSink {
  const unpack = unpackInto(folder);
  return async (info, nar) => {
    const path = join(folder, parseStorePath(info.storePath).baseName);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) await unpack(info, nar);
    else await drain(nar);
  };
}

function summaryOf({ pulled, bytes, seconds }: PullResult, folder: string | undefined): string {
  const took = `${formatBytes(bytes)} in ${formatDuration(seconds * 1000)}`;
  const where = folder === undefined ? 'verified' : `verified and unpacked in ${folder}`;
  return `${paths(pulled.length)} ${where} (${took})`;
}
