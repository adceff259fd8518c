import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError, isFlywheelError, messageOf, type ByteStream } from '@flywheel/base';
import type { NarInfo } from '@flywheel/nix';
import { decompress, type Compression } from '../store/decompress.ts';
import { fetchUpstream, isUpstreamFailure, upstreamFails } from './fetch-upstream.ts';
import type { UpstreamPath } from './upstreams.ts';

/** How long an upstream may send nothing. */
const PATIENCE_MS = 30_000;

/** As narinfos name them. */
const COMPRESSIONS: Readonly<Record<string, Compression>> = {
  none: 'none',
  xz: 'xz',
  bzip2: 'bzip2',
  zstd: 'zstd',
  gzip: 'gzip',
  br: 'br',
};

/** A NAR that breaks off is fetched so often. */
const ATTEMPTS = 3;
const PAUSE_MS = 300;

interface FetchOptions {
  readonly via: string;
  readonly signal: AbortSignal;
}

/**
 * The plain NAR as an upstream sends it, unverified. When it breaks off, it is fetched again and goes
 * on where it was: that both halves belong together, the hash of the whole tells. Throws
 * as `fetchOnce` does.
 */
export async function* fetchNar(
  path: UpstreamPath,
  options: FetchOptions,
): AsyncGenerator<Uint8Array> {
  let given = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      let at = 0;
      for await (const piece of await fetchOnce(path, options)) {
        const fresh = piece.subarray(Math.min(piece.length, given - at));
        at += piece.length;
        if (fresh.length === 0) continue;
        given += fresh.length;
        yield fresh;
      }
      return;
    } catch (error) {
      const isLast = attempt === ATTEMPTS || options.signal.aborted;
      if (isLast || !isUpstreamFailure(error)) throw error;
      path.site.retried(path.info.url, error);
      await sleep(PAUSE_MS * attempt, undefined, { ref: false });
    }
  }
}

/**
 * The NAR from its beginning. Throws `not-found` when the upstream has lost
 * it, `unsupported`, and `unavailable`, also in the middle.
 */
async function fetchOnce(
  { site, info }: UpstreamPath,
  { via, signal }: FetchOptions,
): Promise<AsyncGenerator<Uint8Array>> {
  const compression = COMPRESSIONS[info.compression];
  if (compression === undefined) {
    throw new FlywheelError('unsupported', `${site.url.href} compresses with ${info.compression}`);
  }
  const url = narUrl(site.url, info.url);
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(), PATIENCE_MS);
  const signals = AbortSignal.any([signal, stalled.signal]);
  try {
    const answer = await fetchUpstream(url, { via, signal: signals });
    if (answer.ok && answer.body !== null) {
      return unpacked(patiently(answer.body, url, stalled), { url, info, compression });
    }
    await answer.body?.cancel();
    const reason = `HTTP status ${answer.status}`;
    if (![404, 410].includes(answer.status)) throw upstreamFails(url, reason);
    throw new FlywheelError('not-found', `read ${url.href}: ${reason}`);
  } finally {
    clearTimeout(timer);
  }
}

interface NarFile {
  readonly url: URL;
  readonly info: NarInfo;
  readonly compression: Compression;
}

/** What does not decompress has most often been cut or changed on its way: it is worth another try. */
async function* unpacked(
  file: ByteStream,
  { url, info, compression }: NarFile,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of file) {
      size += piece.length;
      yield piece;
    }
    if (info.fileSize !== undefined && size < info.fileSize) {
      throw upstreamFails(url, `it ended after ${size} of ${info.fileSize} bytes`);
    }
  }
  try {
    yield* decompress(counted(), compression);
  } catch (error) {
    if (!isFlywheelError(error, 'invalid-input')) throw error;
    throw upstreamFails(url, messageOf(error), error);
  }
}

/** The URL is not signed: whoever can change the narinfo must not choose where we go. */
function narUrl(site: URL, text: string): URL {
  const url = URL.canParse(text, site) ? new URL(text, site) : undefined;
  if (url?.origin === site.origin && url.username + url.password === '') return url;
  throw new FlywheelError(
    'corrupt',
    `a narinfo of ${site.href} has an unusable URL: ${JSON.stringify(text.slice(0, 200))}`,
  );
}

/** Waits for each piece only so long. The time that the reader takes does not count. */
async function* patiently(
  body: ReadableStream<Uint8Array>,
  url: URL,
  stalled: AbortController,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const timer = setTimeout(() => stalled.abort(), PATIENCE_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } catch (cause) {
    const reason = stalled.signal.aborted
      ? `nothing came for ${PATIENCE_MS / 1000} s`
      : 'it broke off';
    throw upstreamFails(url, reason, cause);
  } finally {
    await reader.cancel().catch(() => {});
  }
}
