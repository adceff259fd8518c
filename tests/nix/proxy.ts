import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A request as it went over the wire: its first line and its header fields in lower case. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Proxy extends AsyncDisposable {
  /** Ends with a slash. */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
}

export interface Cut {
  /** Which answer to cut. Only the first one is. */
  readonly when: (request: SeenRequest) => boolean;
  /** After this many bytes of it, the head included, the connection breaks. */
  readonly afterBytes: number;
}

/**
 * Passes bytes on to a server and takes down each request. It reads no more of HTTP/1.1 than what
 * nix does with it: one request after another on a connection, bodies with a Content-Length.
 */
export async function startProxy(target: string, cut?: Cut): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let cutPending = cut;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const breakBoth = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', breakBoth).on('close', () => {
        sockets.delete(socket);
        breakBoth();
      });
    }
    let bytesLeft: number | undefined;
    const reader = requestReader((request) => {
      requests.push(request);
      bytesLeft = cutPending?.when(request) ? cutPending.afterBytes : undefined;
    });
    client.on('data', (piece: Buffer) => {
      reader(piece);
      if (!upstream.write(piece)) client.pause();
    });
    upstream.on('drain', () => client.resume());
    upstream.on('data', (piece: Buffer) => {
      if (bytesLeft === undefined || piece.length < bytesLeft) {
        if (bytesLeft !== undefined) bytesLeft -= piece.length;
        if (!client.write(piece)) upstream.pause();
        return;
      }
      cutPending = undefined;
      client.end(piece.subarray(0, bytesLeft), breakBoth);
    });
    client.on('drain', () => upstream.resume());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Takes the bytes that a client sends, in any pieces, and reports each request's head. */
function requestReader(report: (request: SeenRequest) => void): (piece: Buffer) => void {
  let bodyLeft = 0;
  let head = Buffer.alloc(0);
  return (piece) => {
    let rest = piece;
    while (rest.length > 0) {
      if (bodyLeft > 0) {
        const taken = Math.min(bodyLeft, rest.length);
        bodyLeft -= taken;
        rest = rest.subarray(taken);
        continue;
      }
      head = Buffer.concat([head, rest]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const request = parseHead(head.subarray(0, end).toString('latin1'));
      rest = head.subarray(end + 4);
      head = Buffer.alloc(0);
      bodyLeft = Number(request.headers['content-length'] ?? 0);
      report(request);
    }
  };
}

function parseHead(head: string): SeenRequest {
  const [first = '', ...lines] = head.split('\r\n');
  const [method = '', path = ''] = first.split(' ');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { method, path, headers };
}
