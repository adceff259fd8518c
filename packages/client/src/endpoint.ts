import { FlywheelError } from '@flywheel/base';

/** The base URL of a server, ending in `/` so that paths can be joined. Throws `invalid-input`. */
export function parseEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new FlywheelError(
      'invalid-input',
      `${JSON.stringify(text)} is not the URL of a cache server; write it like https://cache.example.org/`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    // Not quoted: this text holds the password.
    throw new FlywheelError('invalid-input', `the URL of ${url.host} has a password in it`, {
      details: { hint: 'give it as the token instead, where it does not end up in logs' },
    });
  }
  url.search = '';
  url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/**
 * Where a server says that its API (or its NARs) are, seen from the endpoint it was asked at. A
 * server behind a TLS proxy that does not know so names itself `http:`; the token must not travel
 * like that, so then the endpoint stays, and another host without TLS is refused.
 */
export function delegate(endpoint: URL, named: string | undefined): URL {
  if (named === undefined) return endpoint;
  const url = parseEndpoint(named);
  if (endpoint.protocol !== 'https:' || url.protocol === 'https:') return url;
  if (url.hostname !== endpoint.hostname) {
    throw new FlywheelError(
      'invalid-input',
      `${endpoint.origin} delegates to ${url.origin}, which would send the token without encryption`,
      { details: { hint: "the server's api-endpoint and substituter-endpoint must be https" } },
    );
  }
  return new URL(url.pathname, endpoint);
}
