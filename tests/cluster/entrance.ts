import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AgentOptions } from 'node:https';
import { makeCertificate } from './certificate.ts';

/** Stands for an ingress controller: ends TLS for a public name, and hands on to a service. */
export interface Entrance extends AsyncDisposable {
  /** How a client finds the name, and whom it trusts. */
  readonly agent: AgentOptions;
}

/** Listens on port 443 of an address that nobody else has. */
export async function openEntrance(
  address: string,
  host: string,
  service: string,
): Promise<Entrance> {
  const { key, cert } = await makeCertificate(host, [host]);
  const server = createServer({ key, cert }, (incoming, answer) => {
    handOn(new URL(incoming.url ?? '/', service), incoming, answer);
  });
  server.listen(443, address);
  await once(server, 'listening');
  return {
    agent: {
      ca: cert,
      lookup: (_name, options, found) => {
        if (options.all === true) found(null, [{ address, family: 4 }]);
        else found(null, address, 4);
      },
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function handOn(url: URL, incoming: IncomingMessage, answer: ServerResponse): void {
  const { method, headers } = incoming;
  const onward = request(url, { method: method ?? 'GET', headers }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  onward.once('error', () => answer.destroy());
  incoming.pipe(onward);
}
