import type * as http from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { Server as NetServer } from 'node:net';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { listen, urlOf, type ListenAddress } from './listen.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { TrafficMeter, type Traffic } from './traffic.ts';

// An import reads everything that node:http exports, of which WebSocket loads a whole client: 8 MB.
const { createServer } = createRequire(import.meta.url)('node:http') as typeof http;

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
  const works = new Set<Promise<unknown>>();
  let idleEnds = false;

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
      outgoing.once('close', () => {
        // What was begun before the end has kept its connection alive.
        if (idleEnds) server.closeIdleConnections();
      });
      works.add(work);
      work.catch(() => {}).finally(() => works.delete(work));
    },
  );
  server.maxConnections = limits.maxConnections;
  server.on('connection', (socket) => meter.add(socket));
  server.on('drop', () => meter.drop());

  async function endIdle(): Promise<void> {
    await untilAllIsRead();
    idleEnds = true;
    server.closeIdleConnections();
  }

  await listen(server, address);
  return {
    url: urlOf(server, address.host),
    traffic: () => meter.read(),
    async close(graceMs) {
      await untilAllIsRead();
      await closeWithin(server, graceMs, endIdle);
      await Promise.allSettled(works);
    },
  };
}

/** How long, when nothing new is accepted any more, a request may still come over an open connection. */
const LAST_WORD_MS = 250;
/** At 16 uploads on two cores a turn is quiet after a dozen of others. */
const MAX_TURNS = 500;
const QUIET_TURN_MS = 0.3;

/**
 * Resolves right after a turn of the event loop that had next to nothing to do. Whatever stands in the
 * queue of new connections, or unread on one that is kept alive, when its socket is closed gets a
 * reset; a proxy in the middle of a body can't give such a request to another server.
 */
async function untilAllIsRead(): Promise<void> {
  await turnOfTheLoop(); // the rest of the one we are in
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    const before = performance.now();
    await turnOfTheLoop();
    if (performance.now() - before < QUIET_TURN_MS) return;
  }
}

async function closeWithin(
  server: Server,
  graceMs: number,
  endIdle: () => Promise<void>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    // Not http's own close(), which also ends who has connected and not spoken yet.
    NetServer.prototype.close.call(server, () => resolve());
  });
  const idle = setTimeout(() => void endIdle(), Math.min(graceMs, LAST_WORD_MS));
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(idle);
  clearTimeout(cut);
  server.close(); // now for its timers
}
