import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/** Lets pods reach what listens on a loopback port of this machine: at the same port of `address`. */
export async function forward(address: string, port: number): Promise<AsyncDisposable> {
  const open = new Set<Socket>();
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    // The other side ends it too; who has asked sees that.
    socket.on('error', () => {});
  };
  const server = createServer((outside) => {
    const inside = connect(port, '127.0.0.1');
    keep(outside);
    keep(inside);
    outside.pipe(inside).pipe(outside);
    outside.once('close', () => inside.destroy());
    inside.once('close', () => outside.destroy());
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(port, address, resolve);
  await promise;
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
