import type { ServerResponse } from 'node:http';

/** An answer of a few KiB, ready to be sent any number of times. */
export interface SmallReply {
  readonly status: number;
  /** Names and values in turn, Content-Length among them. */
  readonly headers: readonly string[];
  /** Its bytes, one a character. */
  readonly body: string;
}

/** An answer in JSON. */
export function jsonReply(
  status: number,
  value: unknown,
  headers: readonly string[] = [],
): SmallReply {
  const body = Buffer.from(JSON.stringify(value)).toString('latin1');
  return {
    status,
    headers: [
      'Content-Type',
      'application/json',
      'Content-Length',
      String(body.length),
      ...headers,
    ],
    body,
  };
}

/**
 * Sends it, to HEAD without the body. A string of one-byte characters leaves in one write together
 * with the head; a Buffer takes two, and a third of the rate of small answers.
 */
export function sendReply(outgoing: ServerResponse, reply: SmallReply): void {
  outgoing.writeHead(reply.status, reply.headers as string[]);
  outgoing.end(reply.body, 'latin1');
}
