import { setTimeout as sleep } from 'node:timers/promises';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { errorReply, isServerFault, leavesBody } from './error-response.ts';
import type { ApiContext } from './parts.ts';
import { discardBody } from './request-body.ts';
import { jsonReply, sendReply } from './small-reply.ts';

/** Answers with an error; every one carries the number of the request, to ask about. */
export async function replyWithError(error: Error, c: ApiContext): Promise<Response> {
  const { outgoing, exchange } = c.env;
  const wire = errorReply(error);
  // What went wrong is for the log; the client gets a number.
  if (isServerFault(wire)) exchange.error = error;
  if (outgoing.headersSent) {
    outgoing.destroy();
    return RESPONSE_ALREADY_SENT;
  }
  const headers = ['X-Request-Id', exchange.requestId, ...wire.headers];
  if (!leavesBody(wire, c.req.method)) {
    await discardBody(c);
    sendReply(outgoing, jsonReply(wire.status, wire.body, headers));
    return RESPONSE_ALREADY_SENT;
  }
  const reply = jsonReply(wire.status, wire.body, [...headers, 'Connection', 'close']);
  outgoing.writeHead(reply.status, reply.headers as string[]);
  outgoing.write(reply.body, 'latin1');
  // Closing at once, with bytes of the body unread, would be a reset, and could overtake the answer.
  await sleep(LINGER_MS, undefined, { ref: false });
  outgoing.end();
  return RESPONSE_ALREADY_SENT;
}

/** How long a client in the middle of its body has to see the answer. */
const LINGER_MS = 2000;
