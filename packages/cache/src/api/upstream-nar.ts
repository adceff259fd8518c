import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { constants, createZstdCompress } from 'node:zlib';
import { isFlywheelError, messageOf } from '@flywheel/base';
import { parseStorePath } from '@flywheel/nix';
import type { ObjectInput } from '../db/metadata.ts';
import { isUpstreamFailure } from '../upstream/fetch-upstream.ts';
import { fetchNar } from '../upstream/fetch-nar.ts';
import { pullNar, type NarListener } from '../upstream/pull-nar.ts';
import type { UpstreamPath } from '../upstream/upstreams.ts';
import { VIA_HEADER } from '../upstream/via.ts';
import { auditOften } from './audit.ts';
import type { LiveCache } from './cache-directory.ts';
import { ANSWERED, type Answer, type ApiContext } from './context.ts';
import { wireError } from './error-response.ts';
import { keptSignatures } from './kept-signatures.ts';
import type { ApiParts } from './parts.ts';
import { visibilityHeader } from './visibility.ts';

/**
 * The path as one of the cache's upstreams has it, when none of ours is there. Undefined also for a
 * question that has been here before.
 */
export async function findUpstream(
  parts: ApiParts,
  c: ApiContext,
  cache: LiveCache,
  hash: string,
): Promise<UpstreamPath | undefined> {
  if (cache.upstreams.length === 0) return undefined;
  const via = parts.via.onwards(c.incoming.headers[VIA_HEADER]);
  return via === undefined ? undefined : parts.upstreams.find(cache, hash, via);
}

/**
 * Answers with the NAR of an upstream while it goes into the store: the client waits for neither. It
 * gets our own compression, as the narinfo said and as it will be from the store. Undefined: another
 * client's pull of the same has ended, and the store is to be asked again.
 */
export async function answerFromUpstream(
  parts: ApiParts,
  c: ApiContext,
  cache: LiveCache,
  hash: string,
): Promise<Answer | undefined> {
  const path = await findUpstream(parts, c, cache, hash);
  if (path === undefined) throw wireError('NoSuchObject');
  const headers = { 'Content-Type': 'application/x-nix-nar', ...visibilityHeader(cache) };
  if (c.method === 'HEAD') return c.body(null, 200, headers);
  const key = `${cache.id}/${hash}`;
  const underWay = parts.pulls.underWay(key);
  if (underWay !== undefined) {
    await underWay;
    parts.objects.delete(cache.id, hash);
    return undefined;
  }
  const { outgoing } = c;
  const listener = new ClientListener(outgoing, headers, c.exchange.body.patienceMs);
  try {
    await parts.pulls.run(key, () => pull(parts, c, cache, path, listener));
    parts.objects.delete(cache.id, hash);
    const target = path.info.storePath;
    auditOften(parts, c, { action: 'pull-through', cache: cache.name, target });
  } catch (error) {
    parts.objects.delete(cache.id, hash);
    const isComplete = listener.isComplete;
    listener.abort();
    if (!outgoing.headersSent) throw refusal(error);
    // The head is out: an incomplete answer has been cut.
    const what = isComplete
      ? 'a NAR from upstream was not stored'
      : 'a NAR from upstream broke off';
    parts.logger.error(what, { hash, cache: cache.name, error });
  }
  return ANSWERED;
}

async function pull(
  parts: ApiParts,
  c: ApiContext,
  cache: LiveCache,
  path: UpstreamPath,
  listener: NarListener,
): Promise<void> {
  const { site, info } = path;
  const { hash } = parseStorePath(info.storePath);
  const via = parts.via.onwards(c.incoming.headers[VIA_HEADER]) ?? '';
  await parts.pullGate.run(async () => {
    if (!site.breaker.admits()) throw wireError('Unavailable', `${site.url.host} fails`);
    try {
      const nar = fetchNar(path, { via, signal: parts.pulls.signal });
      const origin = JSON.stringify({ cache: cache.name, upstream: site.url.href, ...info });
      const object = objectOf(cache, path);
      await pullNar(parts.store, { info, object, nar, origin, listener });
      site.breaker.succeeded();
      site.figures.nars += 1;
      site.figures.bytes += info.narSize;
    } catch (error) {
      note(path, hash, error);
      throw error;
    }
  });
}

/** Whose fault it was: upstream's word, its state, or the store's. */
function note({ site, info }: UpstreamPath, hash: string, error: unknown): void {
  if (isUpstreamFault(error)) site.reject(hash, messageOf(error));
  else if (isUpstreamFailure(error)) site.failed(info.url, error);
}

function isUpstreamFault(error: unknown): boolean {
  const faults = ['corrupt', 'invalid-input', 'not-found', 'unsupported'] as const;
  return faults.some((code) => isFlywheelError(error, code));
}

function refusal(error: unknown): unknown {
  // Nothing of what upstream said: the client asked us.
  if (isUpstreamFailure(error))
    return wireError('Unavailable', 'the upstream cache does not answer');
  return isUpstreamFault(error) ? wireError('NoSuchObject') : error;
}

function objectOf(cache: LiveCache, { site, info }: UpstreamPath): ObjectInput {
  return {
    cacheId: cache.id,
    storePathHash: parseStorePath(info.storePath).hash,
    storePath: info.storePath,
    references: [...new Set(info.references)].toSorted(),
    deriver: info.deriver,
    system: info.system,
    sigs: keptSignatures(info.sigs),
    ca: info.ca,
    createdBy: `upstream ${site.url.host}`,
  };
}

/**
 * The client that asked first. Its speed is that of the pull, for which others wait; one that takes
 * nothing for a while, or hangs up, is left behind, and the pull goes on.
 */
class ClientListener implements NarListener {
  readonly #outgoing: ServerResponse;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #patienceMs: number;
  // Level 1: it is for this one client, who waits for it.
  readonly #zstd = createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
    chunkSize: 256 * 1024,
  });
  #isComplete = false;

  constructor(
    outgoing: ServerResponse,
    headers: Readonly<Record<string, string>>,
    patienceMs: number,
  ) {
    this.#outgoing = outgoing;
    this.#headers = headers;
    this.#patienceMs = patienceMs;
    // Also when it ends before anything is joined to it.
    this.#zstd.on('error', () => {});
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  async write(piece: Uint8Array): Promise<void> {
    this.#begin();
    const zstd = this.#zstd;
    if (zstd.destroyed || zstd.write(piece)) return;
    const stop = new AbortController();
    const { signal } = stop;
    await Promise.race([once(zstd, 'drain', { signal }), once(zstd, 'close', { signal })]).catch(
      () => {},
    );
    stop.abort();
  }

  /** Only now the client gets the end, without which no zstd stream and no answer is whole. */
  async complete(): Promise<void> {
    this.#begin();
    this.#isComplete = true;
    this.#zstd.end();
  }

  abort(): void {
    if (!this.#isComplete) this.#zstd.destroy(new Error('the pull has failed'));
  }

  /** With the first byte, so that a failure before it is an answer of its own. */
  #begin(): void {
    const outgoing = this.#outgoing;
    if (outgoing.headersSent || outgoing.destroyed) {
      if (outgoing.destroyed) this.#zstd.destroy();
      return;
    }
    outgoing.setTimeout(this.#patienceMs, () => outgoing.destroy());
    outgoing.writeHead(200, this.#headers);
    pipeline(this.#zstd, outgoing, () => {});
  }
}
