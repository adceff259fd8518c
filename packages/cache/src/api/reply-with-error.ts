import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiContext } from './context.ts';
import { errorReply, isServerFault, leavesBody } from './error-response.ts';
import { discardBody } from './request-body.ts';
import { jsonReply, sendReply } from './reply.ts';

/** Answers with an error; every one carries the number of the request, to ask about. */
export async function replyWithError(error: unknown, c: ApiContext): Promise<void> {
  const { outgoing, exchange } = c;
  const wire = errorReply(error);
  // What went wrong is for the log; the client gets a number.
  if (isServerFault(wire)) exchange.error = error;
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  const headers = ['X-Request-Id', exchange.requestId, ...wire.headers];
  if (!leavesBody(wire, c.method)) {
    await discardBody(c);
    sendReply(outgoing, jsonReply(wire.status, wire.body, headers));
    return;
  }
  const reply = jsonReply(wire.status, wire.body, [...headers, 'Connection', 'close']);
  outgoing.writeHead(reply.status, reply.headers as string[]);
  outgoing.write(reply.body, 'latin1');
  // Closing at once, with bytes of the body unread, would be a reset, and could overtake the answer.
  await sleep(LINGER_MS, undefined, { ref: false });
  outgoing.end();
}

/** How long a client in the middle of its body has to see the answer. */
const LINGER_MS = 2000;
