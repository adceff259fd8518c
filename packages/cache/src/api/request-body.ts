import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { collect, isFlywheelError } from '@flywheel/base';
import type { ApiContext } from './context.ts';
import { wireError } from './error-response.ts';
import { pacedBody } from './paced-body.ts';

/** The body as it arrives. Leaving the loop early does not cut the connection. */
export function bodyOf(c: ApiContext): AsyncIterable<Buffer> {
  const { exchange, incoming } = c;
  return pacedBody(incoming, exchange.body, (bytes) => exchange.received?.(bytes));
}

/** How long and how much an answer waits for the rest of a body that is not wanted. */
const DISCARD_BYTES = 256 * 1024 * 1024;
const DISCARD_MS = 30_000;

/**
 * Reads on, within reason, after an early refusal: a client in the middle of sending would see a
 * broken pipe in place of the answer. Never throws.
 */
export async function discardBody(c: ApiContext): Promise<void> {
  const { incoming } = c;
  if (incoming.readableEnded || incoming.destroyed) return;
  const stop = new AbortController();
  const discard = async (): Promise<void> => {
    let seen = 0;
    for await (const piece of bodyOf(c)) {
      seen += piece.length;
      if (seen > DISCARD_BYTES || stop.signal.aborted) return;
    }
  };
  const { signal } = stop;
  await Promise.race([
    discard().catch(() => {}),
    sleep(DISCARD_MS, undefined, { ref: false, signal }),
  ]);
  // The timer too: who is refused a thousand times a second would fill memory with them.
  stop.abort();
}

/** A JSON body of this shape. 415, 413, 400 and 422 as Attic's framework answers them. */
export async function jsonBody<T>(c: ApiContext, schema: z.ZodType<T>, limit: number): Promise<T> {
  const type = c.incoming.headers['content-type'] ?? '';
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw wireError('UnsupportedMediaType', 'send Content-Type: application/json');
  }
  let text: string;
  try {
    text = (await collect(bodyOf(c), limit)).toString('utf8');
  } catch (error) {
    if (isFlywheelError(error, 'too-large')) throw wireError('PayloadTooLarge', error.message);
    throw error;
  }
  return parseJson(text, schema);
}

/** Malformed JSON is 400, well-formed JSON of another shape 422. */
export function parseJson<T>(text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wireError('RequestError', 'the body is not valid JSON');
  }
  return inShape(value, schema);
}

/** The value in this shape. Throws 422 that names the place that is wrong. */
export function inShape<T>(value: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  throw wireError('UnprocessableEntity', `${where}${issue?.message ?? 'invalid'}`);
}
