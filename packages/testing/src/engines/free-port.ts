import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A loopback port that nobody listens on, for programs that cannot pick one themselves. */
export async function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer().once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    server.close(() => resolve(port));
  });
  return promise;
}
