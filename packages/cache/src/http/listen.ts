import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FlywheelError } from '@flywheel/base';

export interface ListenAddress {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
}

/** Throws with a hint when the address is taken or not to be had. */
export async function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(cause, host, port)));
    server.listen(port, host, resolve);
  });
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): FlywheelError {
  const where = `${host}:${port}`;
  if (cause.code === 'EADDRINUSE') {
    return new FlywheelError('conflict', `another program listens on ${where}`, {
      cause,
      details: {
        hint: `stop it, or choose another address, for instance --listen ${host}:${port + 1}`,
      },
    });
  }
  return new FlywheelError('forbidden', `cannot listen on ${where}: ${cause.message}`, {
    cause,
    details: { hint: 'choose another address with --listen HOST:PORT' },
  });
}

/** The server's own URL as seen from this machine; ends in `/`. */
export function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}/`;
}
