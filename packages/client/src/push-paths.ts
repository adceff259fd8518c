import { FlywheelError, retry, toFlywheelError } from '@flywheel/base';
import { parseStorePath } from '@flywheel/nix';
import type { CacheClient } from './cache-client.ts';
import { notTried, Outage } from './outage.ts';
import type { PathSource } from './path-source.ts';
import { patience } from './patience.ts';
import { PushQueue } from './push-queue.ts';
import { runJobs } from './run-jobs.ts';
import { PathProgress } from './transfer-event.ts';
import type { OnTransfer } from './transfer-event.ts';

export interface PushRequest {
  readonly client: CacheClient;
  readonly paths: readonly PathSource[];
  /** Uploads at the same time. */
  readonly jobs?: number;
  /** Pushes also what an upstream cache of the configuration has signed. */
  readonly ignoreUpstream?: boolean;
  readonly onProgress?: OnTransfer;
  /** Stops: what is under way is broken off, and its reason is thrown. */
  readonly signal?: AbortSignal;
}

export interface PushedPath {
  readonly storePath: string;
  readonly narSize: number;
  readonly fileSize?: number;
  /** The part that the server had already, 0 to 1. */
  readonly deduplicated: number;
}

export interface PushResult {
  readonly uploaded: readonly PushedPath[];
  /** Paths that the cache had. */
  readonly present: number;
  /** Paths that were left out because an upstream cache has them. */
  readonly upstream: number;
  readonly failed: readonly { readonly storePath: string; readonly error: FlywheelError }[];
  /** Plain NAR bytes of the uploaded paths. */
  readonly bytes: number;
  readonly seconds: number;
}

const JOBS = 4;
const ATTEMPTS = 5;
const MAX_DELAY_MS = 20_000;

/**
 * Pushes what the cache does not have, references before what refers to them, so that the cache
 * holds no path whose closure it lacks. A path that fails takes along only what refers to it; when
 * the server refuses the token, or answers nobody any more, the rest is not tried.
 * Throws only for what concerns all paths: no such cache, no right to push, no answer, the signal.
 */
export async function pushPaths(request: PushRequest): Promise<PushResult> {
  const startedAt = performance.now();
  const plan = await planPush(request);
  request.onProgress?.({
    kind: 'planned',
    paths: plan.missing.length,
    bytes: plan.missing.reduce((sum, { narSize }) => sum + narSize, 0),
    present: plan.present,
    upstream: plan.upstream,
  });
  const push = new Push(request, plan.missing);
  await push.run();
  return {
    uploaded: push.uploaded,
    present: plan.present,
    upstream: plan.upstream,
    failed: push.failed,
    bytes: push.uploaded.reduce((sum, { narSize }) => sum + narSize, 0),
    seconds: (performance.now() - startedAt) / 1000,
  };
}

interface PushPlan {
  readonly missing: readonly PathSource[];
  readonly present: number;
  readonly upstream: number;
}

async function planPush({ client, paths, ignoreUpstream, signal }: PushRequest): Promise<PushPlan> {
  const config = await client.cacheConfig();
  const upstreamKeys = new Set(ignoreUpstream === true ? [] : config.upstreamCacheKeyNames);
  const byHash = new Map<string, PathSource>();
  const upstream = new Set<string>();
  for (const path of paths) {
    const { hash } = parseStorePath(path.storePath);
    const isUpstream = path.sigs.some((sig) => upstreamKeys.has(sig.split(':')[0] ?? ''));
    if (isUpstream) upstream.add(hash);
    else byHash.set(hash, path);
  }
  const missing = await client.missingPaths([...byHash.keys()], signal);
  const wanted = [...byHash].filter(([hash]) => missing.has(hash)).map(([, path]) => path);
  return { missing: wanted, present: byHash.size - wanted.length, upstream: upstream.size };
}

class Push {
  readonly uploaded: PushedPath[] = [];
  readonly failed: { readonly storePath: string; readonly error: FlywheelError }[] = [];
  readonly #request: PushRequest;
  readonly #jobs: number;
  readonly #queue: PushQueue;
  readonly #outage: Outage;

  constructor(request: PushRequest, paths: readonly PathSource[]) {
    this.#request = request;
    this.#jobs = Math.max(1, request.jobs ?? JOBS);
    this.#queue = new PushQueue(paths);
    this.#outage = new Outage(this.#jobs);
  }

  async run(): Promise<void> {
    await runJobs(
      this.#jobs,
      () => this.#queue.take(),
      (path) => this.#pushOne(path),
    );
  }

  async #pushOne(path: PathSource): Promise<void> {
    const { signal } = this.#request;
    signal?.throwIfAborted();
    try {
      const { reason } = this.#outage;
      if (reason !== undefined) throw notTried(path.storePath, reason);
      await this.#upload(path);
    } catch (error) {
      signal?.throwIfAborted();
      this.#giveUp(path, toFlywheelError(error, `push ${path.storePath}`));
    }
  }

  async #upload(path: PathSource): Promise<void> {
    const { client, onProgress, signal } = this.#request;
    const { storePath, narSize } = path;
    onProgress?.({ kind: 'start', storePath, narSize });
    const progress = new PathProgress(storePath, onProgress);
    const upload = (): ReturnType<CacheClient['upload']> => {
      progress.restart();
      return client.upload(path, { onBytes: (bytes) => progress.add(bytes), signal });
    };
    const { attempts, when } = patience(ATTEMPTS);
    const answer = await retry(upload, {
      attempts,
      firstDelayMs: client.firstDelayMs,
      maxDelayMs: MAX_DELAY_MS,
      when: (error) => when(error) && this.#outage.reason === undefined,
      ...(signal === undefined ? {} : { signal }),
    });
    this.#outage.noteSuccess();
    progress.finish(narSize);
    this.uploaded.push({ storePath, narSize, ...answer });
    onProgress?.({ kind: 'done', storePath, narSize, ...answer });
    this.#queue.finish(path);
  }

  #giveUp(path: PathSource, error: FlywheelError): void {
    this.#outage.noteFailure(error);
    this.#fail(path, error);
    for (const dependent of this.#queue.fail(path)) {
      const text = `${dependent.storePath} was not pushed, because its reference ${path.storePath} was not: ${error.message}`;
      this.#fail(dependent, new FlywheelError(error.code, text, { cause: error }));
    }
  }

  #fail(path: PathSource, error: FlywheelError): void {
    this.failed.push({ storePath: path.storePath, error });
    this.#request.onProgress?.({ kind: 'failed', storePath: path.storePath, error });
  }
}
