import { FlywheelError, isFlywheelError, messageOf } from '@flywheel/base';
import { VIA_HEADER } from './via.ts';

const MAX_REDIRECTS = 3;

export interface UpstreamRequest {
  readonly via: string;
  readonly signal: AbortSignal;
}

/**
 * GET from an upstream cache, which may hand on to where its files lie, but not out of TLS. Resolves
 * with any status that is no redirect. Throws `unavailable`.
 */
export async function fetchUpstream(
  start: URL,
  { via, signal }: UpstreamRequest,
): Promise<Response> {
  let url = start;
  try {
    for (let turn = 0; turn <= MAX_REDIRECTS; turn += 1) {
      const answer = await fetch(url, {
        redirect: 'manual',
        // NARs come compressed; a second time is of no use.
        headers: { 'accept-encoding': 'identity', [VIA_HEADER]: via },
        signal,
      });
      const location = answer.headers.get('location');
      if (answer.status < 300 || answer.status > 399 || location === null) return answer;
      await answer.body?.cancel();
      url = redirectTarget(url, location);
    }
  } catch (cause) {
    const reason = messageOf((cause as Error).cause ?? cause);
    throw upstreamFails(start, reason, cause);
  }
  throw upstreamFails(start, `more than ${MAX_REDIRECTS} redirects`);
}

/** `unavailable`, and known to be the fault of upstream, see isUpstreamFailure. */
export function upstreamFails(url: URL, reason: string, cause?: unknown): FlywheelError {
  return new FlywheelError('unavailable', `read ${url.href}: ${reason}`, {
    cause,
    details: { upstream: url.origin },
  });
}

/** Whether it was upstream that failed, not the store behind us. */
export function isUpstreamFailure(error: unknown): boolean {
  return isFlywheelError(error, 'unavailable') && error.details['upstream'] !== undefined;
}

function redirectTarget(from: URL, location: string): URL {
  const url = URL.canParse(location, from) ? new URL(location, from) : undefined;
  const isWeb =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && from.protocol === 'http:');
  if (url !== undefined && isWeb && url.username + url.password === '') return url;
  throw new Error(`it redirects to ${JSON.stringify(location.slice(0, 200))}`);
}
