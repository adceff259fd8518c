import { startHttpServer, type RequestListener } from './http/http-server.ts';
import type { ListenAddress } from './http/listen.ts';

export interface WaitingRoomOptions {
  readonly listen: ListenAddress;
  readonly metricsListen?: ListenAddress | undefined;
}

/**
 * Answers at the addresses of a server that cannot serve yet: it is alive, and not ready. Who looks
 * after it neither restarts it nor sends it requests. Throws like `startHttpServer`.
 */
export async function openWaitingRoom(options: WaitingRoomOptions): Promise<AsyncDisposable> {
  await using rooms = new AsyncDisposableStack();
  for (const address of [options.listen, options.metricsListen]) {
    if (address === undefined) continue;
    const server = await startHttpServer(address, answer);
    rooms.defer(() => server.close(0));
  }
  return rooms.move();
}

const answer: RequestListener = (incoming, outgoing) => {
  const [path] = (incoming.url ?? '').split('?');
  const [status, body] =
    path === '/healthz'
      ? [200, { status: 'ok' }]
      : path === '/readyz'
        ? [503, { status: 'waiting' }]
        : [503, { code: 503, error: 'Unavailable', message: 'The server is starting.' }];
  outgoing.writeHead(status, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    // What has a body is not read.
    Connection: 'close',
    ...(status === 503 ? { 'Retry-After': '5' } : {}),
  });
  outgoing.end(JSON.stringify(body));
  return undefined;
};
