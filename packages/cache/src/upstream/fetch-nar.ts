import { FlywheelError } from '@flywheel/base';
import { decompress, type Compression } from '../store/decompress.ts';
import { fetchUpstream, upstreamFails } from './fetch-upstream.ts';
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

/**
 * The plain NAR as an upstream sends it, unverified. Throws `not-found` when the upstream has lost
 * it, `unsupported`, and `unavailable`, also in the middle.
 */
export async function fetchNar(
  { site, info }: UpstreamPath,
  { via, signal }: { readonly via: string; readonly signal: AbortSignal },
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
      return decompress(patiently(answer.body, url, stalled), compression);
    }
    await answer.body?.cancel();
    const reason = `HTTP status ${answer.status}`;
    if (![404, 410].includes(answer.status)) throw upstreamFails(url, reason);
    throw new FlywheelError('not-found', `read ${url.href}: ${reason}`);
  } finally {
    clearTimeout(timer);
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
