import { FlywheelError } from '@flywheel/base';
import { pullPaths, pushPaths } from '@flywheel/client';
import type { CacheClient, PathSource } from '@flywheel/client';
import { parseStorePath, PublicKey } from '@flywheel/nix';
import type { CliContext } from '../context.ts';
import type { ErrorReport } from '../exit.ts';
import type { Output } from '../output/index.ts';
import { paths } from '../transfer/count.ts';
import { explainFailures } from '../transfer/failures.ts';
import { showTransfer } from '../transfer/show-transfer.ts';

/** What became of some paths; bytes are those of plain NARs unless they say otherwise. */
export interface Fed {
  readonly paths: number;
  readonly bytes: number;
  readonly uploaded: number;
  readonly uploadedBytes: number;
  /** Of the uploaded bytes, those that the store held already. */
  readonly deduplicatedBytes: number;
  /** What the uploaded paths take in the store, compressed. */
  readonly storedBytes: number;
  readonly present: number;
  readonly upstream: number;
  /** Pulled back, with the right NAR hash and signature. */
  readonly verified: number;
  readonly problems: readonly ErrorReport[];
}

/** Pushes paths and pulls them back, each verified against the cache's key and what was pushed. */
export async function feed(
  context: CliContext,
  output: Output,
  client: CacheClient,
  sources: readonly PathSource[],
): Promise<Fed> {
  const { signal } = context;
  using pushing = showTransfer(output, 'Pushing');
  const pushed = await pushPaths({
    client,
    paths: sources,
    onProgress: pushing.onProgress,
    signal,
  });
  const { uploaded, present, upstream, failed } = pushed;
  if (failed.length > 0)
    pushing.progress.fail(`${paths(failed.length)} of ${sources.length} failed`);
  else pushing.progress.finish(uploaded.length === 0 ? 'nothing to upload' : undefined);

  const { publicKey, upstreamCacheKeyNames } = await client.cacheConfig();
  const lost = new Set(failed.map(({ storePath }) => storePath));
  const expected = new Map<string, PathSource>();
  for (const source of sources) {
    const elsewhere = source.sigs.some((sig) =>
      upstreamCacheKeyNames.includes(sig.split(':')[0] ?? ''),
    );
    if (elsewhere || lost.has(source.storePath)) continue;
    expected.set(parseStorePath(source.storePath).hash, source);
  }
  using pulling = showTransfer(output, 'Pulling back');
  const pulled = await pullPaths({
    client,
    hashes: [...expected.keys()],
    trustedKeys: publicKey === undefined ? [] : [PublicKey.parse(publicKey)],
    onProgress: pulling.onProgress,
    signal,
  });
  const others = pulled.pulled.filter(({ storePath, narHash }) => {
    const source = expected.get(parseStorePath(storePath).hash);
    return source?.narHash.equals(narHash) !== true;
  });
  const wrong = [
    ...pulled.failed,
    ...others.map(({ storePath }) => ({ error: notOurs(storePath) })),
  ];
  if (wrong.length > 0) pulling.progress.fail(`${paths(wrong.length)} of ${expected.size} failed`);
  else pulling.progress.finish();

  return {
    paths: sources.length,
    bytes: sum(sources, ({ narSize }) => narSize),
    uploaded: uploaded.length,
    uploadedBytes: pushed.bytes,
    deduplicatedBytes: Math.round(sum(uploaded, (path) => path.narSize * path.deduplicated)),
    storedBytes: Math.round(
      sum(uploaded, ({ fileSize = 0, deduplicated }) => fileSize * (1 - deduplicated)),
    ),
    present,
    upstream,
    verified: pulled.pulled.length - others.length,
    problems: [explainFailures(failed, 'pushed'), explainFailures(wrong, 'pulled')].filter(
      (problem) => problem !== undefined,
    ),
  };
}

function notOurs(storePath: string): FlywheelError {
  return new FlywheelError('corrupt', `the cache holds other contents for ${storePath}`);
}

function sum<T>(values: readonly T[], amount: (value: T) => number): number {
  return values.reduce((total, value) => total + amount(value), 0);
}
