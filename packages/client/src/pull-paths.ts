import { FlywheelError, isFlywheelError, retry, toFlywheelError } from '@flywheel/base';
import type { NarInfo, PublicKey } from '@flywheel/nix';
import type { CacheClient } from './cache-client.ts';
import { decompress } from './decompress.ts';
import { notTried, Outage } from './outage.ts';
import { discardNar } from './pull-sinks.ts';
import type { PullSink } from './pull-sinks.ts';
import { runJobs } from './run-jobs.ts';
import { PathProgress } from './transfer-event.ts';
import type { OnTransfer } from './transfer-event.ts';
import { checkSignature, verifiedNar } from './verified-nar.ts';

export interface PullRequest {
  readonly client: CacheClient;
  /** Store-path hashes. */
  readonly hashes: readonly string[];
  /** Pulls also what these refer to, by themselves or through others. */
  readonly closure?: boolean;
  readonly trustedKeys: readonly PublicKey[];
  /** `hash` leaves the signatures out, for a cache that is trusted by itself. */
  readonly verify?: 'signature' | 'hash';
  /** `discardNar` unless given. */
  readonly sink?: PullSink;
  /** Downloads at the same time. */
  readonly jobs?: number;
  readonly onProgress?: OnTransfer;
  /** Stops: what is under way is broken off, and its reason is thrown. */
  readonly signal?: AbortSignal;
}

export interface PullResult {
  /** In the order in which they were done. */
  readonly pulled: readonly NarInfo[];
  readonly failed: readonly PullFailure[];
  /** Plain NAR bytes of the pulled paths. */
  readonly bytes: number;
  readonly seconds: number;
}

export interface PullFailure {
  readonly hash: string;
  /** Where the cache said so much. */
  readonly storePath?: string;
  readonly error: FlywheelError;
}

const JOBS = 4;
/** Times to start with a NAR whose file was replaced on the server while it was read. */
const ATTEMPTS = 3;

/**
 * Downloads paths and verifies each: one signature of a trusted key, the NAR's hash and size, its
 * form. One that fails does not stop the others.
 * Throws only for what concerns all paths: no such cache, no answer, the signal.
 */
export async function pullPaths(request: PullRequest): Promise<PullResult> {
  const startedAt = performance.now();
  await request.client.cacheConfig();
  const { infos, failed } = await planPull(request);
  request.onProgress?.({
    kind: 'planned',
    paths: infos.size,
    bytes: [...infos.values()].reduce((sum, { narSize }) => sum + narSize, 0),
    present: 0,
    upstream: 0,
  });
  const pulled: NarInfo[] = [];
  const rest = infos.entries();
  const outage = new Outage(jobsOf(request));
  const pullOne = async ([hash, info]: readonly [string, NarInfo]): Promise<void> => {
    try {
      if (outage.reason !== undefined) throw notTried(info.storePath, outage.reason);
      await download(request, info);
      outage.noteSuccess();
      pulled.push(info);
    } catch (thrown) {
      request.signal?.throwIfAborted();
      const { storePath } = info;
      const error = toFlywheelError(thrown, `pull ${storePath}`);
      failed.push({ hash, storePath, error });
      outage.noteFailure(error);
      request.onProgress?.({ kind: 'failed', storePath, error });
    }
  };
  await runJobs(jobsOf(request), () => rest.next().value, pullOne);
  return {
    pulled,
    failed,
    bytes: pulled.reduce((sum, { narSize }) => sum + narSize, 0),
    seconds: (performance.now() - startedAt) / 1000,
  };
}

interface PullPlan {
  readonly infos: Map<string, NarInfo>;
  readonly failed: PullFailure[];
}

/** The narinfos of all that is to be pulled. References are followed only out of trusted ones. */
async function planPull(request: PullRequest): Promise<PullPlan> {
  const { client, closure, signal } = request;
  const plan: PullPlan = { infos: new Map(), failed: [] };
  const seen = new Set(request.hashes);
  const queue = [...seen];
  let position = 0;
  const next = (): string | undefined => (position < queue.length ? queue[position++] : undefined);
  const lookUp = async (hash: string): Promise<void> => {
    let info: NarInfo | undefined;
    try {
      info = await client.narInfo(hash, signal);
      if (info === undefined) throw notThere(hash, client);
      if (request.verify !== 'hash') checkSignature(info, request.trustedKeys);
    } catch (thrown) {
      signal?.throwIfAborted();
      const error = toFlywheelError(thrown, `look up ${hash}`);
      // Not this path's fault, and waiting as long for each further one would help nobody.
      if (error.code === 'unavailable' || error.code === 'unauthorized') throw error;
      const storePath = info === undefined ? {} : { storePath: info.storePath };
      plan.failed.push({ hash, ...storePath, error });
      return;
    }
    plan.infos.set(hash, info);
    if (closure !== true) return;
    for (const reference of info.references) {
      const referenced = reference.slice(0, 32);
      if (seen.has(referenced)) continue;
      seen.add(referenced);
      queue.push(referenced);
    }
  };
  await runJobs(jobsOf(request), next, lookUp);
  return plan;
}

async function download(request: PullRequest, info: NarInfo): Promise<void> {
  const { client, sink = discardNar, onProgress, signal } = request;
  const { storePath, narSize, fileSize } = info;
  signal?.throwIfAborted();
  onProgress?.({ kind: 'start', storePath, narSize });
  const progress = new PathProgress(storePath, onProgress);
  const transfer = (): Promise<void> => {
    progress.restart();
    const plain = decompress(client.nar(info, signal), info.compression);
    return sink(
      info,
      verifiedNar(info, plain, (bytes) => progress.add(bytes)),
    );
  };
  await retry(transfer, {
    attempts: ATTEMPTS,
    firstDelayMs: client.firstDelayMs,
    when: (error) => isFlywheelError(error, 'unavailable') && error.details['final'] === true,
    ...(signal === undefined ? {} : { signal }),
  });
  onProgress?.({
    kind: 'done',
    storePath,
    narSize,
    ...(fileSize === undefined ? {} : { fileSize }),
  });
}

function jobsOf({ jobs = JOBS }: PullRequest): number {
  return Math.max(1, jobs);
}

function notThere(hash: string, client: CacheClient): FlywheelError {
  return new FlywheelError(
    'not-found',
    `the cache ${client.cache} at ${client.endpoint} has no path ${hash}`,
  );
}
