import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { listen, urlOf, type ListenAddress } from './listen.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { TrafficMeter, type Traffic } from './traffic.ts';

/** Takes a request. The promise ends with its work; undefined: it is answered already. */
export type RequestListener = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
) => Promise<unknown> | undefined;

export interface HttpServer {
  /** Ends in `/`. */
  readonly url: string;
  traffic(): Traffic;
  /**
   * Accepts nothing more, lets answers under way end for so long, cuts what is left, and resolves
   * when the work behind every request is done: a commit is never left in the middle.
   */
  close(graceMs: number): Promise<void>;
}

/** Throws `conflict` when the port is taken, `forbidden` when the address cannot be used. */
export async function startHttpServer(
  address: ListenAddress,
  listener: RequestListener,
  limits: HttpLimits = DEFAULT_HTTP_LIMITS,
): Promise<HttpServer> {
  const meter = new TrafficMeter();
  const answers = new Set<ServerResponse>();
  const works = new Set<Promise<unknown>>();
  let closing = false;

  const server = createServer(
    {
      // Answered by ourselves, in the protocol's form.
      requireHostHeader: false,
      // A push of 100 GB over a slow line is alive; Node's default would cut it after 5 minutes. What
      // a body may do is the affair of whoever reads it.
      requestTimeout: 0,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(5000, limits.headersTimeoutMs),
      keepAliveTimeout: 75_000,
      maxHeaderSize: limits.maxHeaderBytes,
      noDelay: true,
      // A GET has no body to wait for: a sixth less CPU for small answers.
      optimizeEmptyRequests: true,
    },
    (incoming, outgoing) => {
      const work = listener(incoming, outgoing);
      if (work === undefined) return;
      answers.add(outgoing);
      outgoing.once('close', () => {
        answers.delete(outgoing);
        if (closing) endIdle();
      });
      works.add(work);
      work.catch(() => {}).finally(() => works.delete(work));
    },
  );
  server.maxConnections = limits.maxConnections;
  server.on('connection', (socket) => meter.add(socket));
  server.on('drop', () => meter.drop());

  // Node ends only those that have served a request before: a connection opened in advance, or one
  // whose last answer began before the end, would hold the process until it is cut.
  function endIdle(): void {
    const busy = new Set<Socket | null>([...answers].map(({ socket }) => socket));
    for (const socket of meter.open()) if (!busy.has(socket)) socket.destroySoon();
  }

  await listen(server, address);
  return {
    url: urlOf(server, address.host),
    traffic: () => meter.read(),
    async close(graceMs) {
      closing = true;
      await closeWithin(server, graceMs, endIdle);
      await Promise.allSettled(works);
    },
  };
}

async function closeWithin(server: Server, graceMs: number, endIdle: () => void): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  endIdle();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(cut);
}
