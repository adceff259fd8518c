import type { IncomingMessage } from 'node:http';
import { FlywheelError } from '@flywheel/base';
import { discard } from './answer.ts';
import type { Transport } from './transport.ts';

/** As many as Nix follows. */
const MAX_REDIRECTS = 10;

export interface GetOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Sent only to `trusted` origins: a redirect to an object store must not carry it. */
  readonly authorization: string | undefined;
  readonly trusted: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
}

/** GET, following redirects. Gives the answer and where it came from, whatever its status. */
export async function get(
  transport: Transport,
  start: URL,
  options: GetOptions,
): Promise<{ readonly answer: IncomingMessage; readonly url: URL }> {
  let url = start;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const { authorization, trusted, signal } = options;
    const answer = await transport.send({
      method: 'GET',
      url,
      // Bytes as they are stored: a resumed download cannot mix them with a proxy's compression.
      headers: {
        ...options.headers,
        'Accept-Encoding': 'identity',
        ...(authorization !== undefined && trusted.has(url.origin) ? { authorization } : {}),
      },
      signal,
    });
    const { statusCode = 0, headers } = answer;
    if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) {
      return { answer, url };
    }
    discard(answer);
    url = redirected(url, headers.location);
  }
  throw new FlywheelError(
    'unavailable',
    `${start.href} redirects more than ${MAX_REDIRECTS} times`,
  );
}

function redirected(from: URL, location: string): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && from.protocol === 'http:')) {
    return url;
  }
  throw new FlywheelError(
    'unsupported',
    `${from.origin}${from.pathname} redirects to where a client must not follow, ${url?.origin ?? 'which is no URL'}`,
  );
}
