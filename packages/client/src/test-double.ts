import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CacheClient } from './cache-client.ts';
import type { CacheClientOptions } from './cache-client.ts';

/** An HTTP server that plays a fault. What it is asked for is kept, in order. */
export interface HttpDouble extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly IncomingMessage[];
  /** A client of its cache `main` that does not wait between its tries. */
  client(options?: Partial<CacheClientOptions>): CacheClient;
}

export type Answerer = (
  request: IncomingMessage,
  response: ServerResponse,
  /** How many requests for this method and path came before. */
  earlier: number,
) => void;

/** Answers cache-config itself, with nothing in it; everything else is for `answer`. */
export async function startDouble(
  answer: Answerer,
  config: () => Record<string, unknown> = () => ({}),
): Promise<HttpDouble> {
  const requests: IncomingMessage[] = [];
  const counts = new Map<string, number>();
  const clients: CacheClient[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const key = `${request.method} ${request.url}`;
    const earlier = counts.get(key) ?? 0;
    counts.set(key, earlier + 1);
    if (request.url === '/_api/v1/cache-config/main') response.end(JSON.stringify(config()));
    else answer(request, response, earlier);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    requests,
    client(options = {}) {
      const client = new CacheClient({ endpoint: url, cache: 'main', firstDelayMs: 1, ...options });
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Ends a request that has been read to its end. */
export function answerJson(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: unknown,
): void {
  request.resume();
  request.once('end', () => {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body));
  });
}
