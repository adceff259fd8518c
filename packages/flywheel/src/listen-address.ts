import { FlywheelError } from '@flywheel/base';

export interface ListenAddress {
  readonly host: string;
  /** 0 lets the system pick one. */
  readonly port: number;
}

/** Loopback: nothing is offered to others unless somebody asks for it. */
export const DEFAULT_LISTEN = '127.0.0.1:8080';

/** `127.0.0.1:8080`, `localhost:0`, `[::1]:8080`. Throws `invalid-input`. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new FlywheelError(
      'invalid-input',
      `"${text}" is no address to listen on; write HOST:PORT, for instance ${DEFAULT_LISTEN}`,
    );
  }
  return { host, port };
}
