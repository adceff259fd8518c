import type { ClientRequest, IncomingMessage } from 'node:http';
import { z } from 'zod';
import { collect, FlywheelError, isFlywheelError } from '@flywheel/base';
import type { ErrorCode } from '@flywheel/base';
import { parseJson } from './parse-json.ts';
import { connectionError } from './transport.ts';

/** A proxy's error page may be long; what a person wants of it is at its start. */
const MAX_ERROR_BYTES = 64 * 1024;
const MAX_QUOTED_CHARACTERS = 300;

/** The error body that Attic's protocol knows. */
const ErrorBody = z.object({ code: z.int(), error: z.string(), message: z.string() });

/** The whole body as text, the connection free for the next request or closed. */
export async function readText(answer: IncomingMessage, url: URL, limit: number): Promise<string> {
  try {
    return (await collect(answer, limit)).toString('utf8');
  } catch (error) {
    if (isFlywheelError(error, 'too-large')) {
      throw new FlywheelError('too-large', `the answer of ${url.host} has ${error.message}`);
    }
    throw connectionError(url, error);
  } finally {
    discard(answer);
  }
}

/** Lets go of an answer whose rest nobody reads, and of a request that was not sent to its end. */
export function discard(answer: IncomingMessage): void {
  // @types/node does not say that a client's answer knows its request.
  const { req } = answer as IncomingMessage & { readonly req: ClientRequest };
  if (!answer.complete || !req.writableEnded) req.destroy();
}

/**
 * The error that an answer with a failing status stands for, in the server's own words.
 * `attempted` says what was wanted: `push /nix/store/… to CACHE at URL`. The details hold `status`
 * and, where the server gave one, its name of the `error`.
 */
export async function errorOfAnswer(
  answer: IncomingMessage,
  url: URL,
  attempted: string,
): Promise<FlywheelError> {
  const status = answer.statusCode ?? 0;
  const text = await readText(answer, url, MAX_ERROR_BYTES).catch(() => '');
  const body = parseErrorBody(text);
  const words = body === undefined ? quote(text) : `${body.error}: ${body.message}`;
  const code = codeOf(status, body?.error);
  const hint = hintOf(code, status, answer, url);
  return new FlywheelError(code, `${attempted}: HTTP ${status}${words === '' ? '' : ` ${words}`}`, {
    details: {
      status,
      ...(body === undefined ? {} : { error: body.error }),
      ...(hint === undefined ? {} : { hint }),
    },
  });
}

function parseErrorBody(text: string): z.infer<typeof ErrorBody> | undefined {
  return ErrorBody.safeParse(parseJson(text)).data;
}

function quote(text: string): string {
  // Control characters of a foreign page have no business on a terminal.
  const line = text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  return line.length > MAX_QUOTED_CHARACTERS ? `${line.slice(0, MAX_QUOTED_CHARACTERS)}…` : line;
}

function codeOf(status: number, name: string | undefined): ErrorCode {
  // Both have a status that would mean something else.
  if (name === 'IncompleteNar') return 'corrupt';
  if (name === 'CacheAlreadyExists') return 'already-exists';
  switch (status) {
    case 401:
    case 407:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
    case 410:
      return 'not-found';
    case 405:
    case 501:
      return 'unsupported';
    case 408:
    case 429:
      return 'unavailable';
    case 409:
      return 'conflict';
    case 413:
      return 'too-large';
    case 507:
      return 'no-space';
    default:
      return status >= 500 ? 'unavailable' : 'invalid-input';
  }
}

function hintOf(
  code: ErrorCode,
  status: number,
  answer: IncomingMessage,
  url: URL,
): string | undefined {
  if (status >= 300 && status < 400) {
    return `the server sends to ${answer.headers.location ?? 'another address'}: use the endpoint it has there`;
  }
  switch (code) {
    case 'unauthorized':
      return `a token that ${url.host} accepts is needed: this one is missing, expired or of another server`;
    case 'forbidden':
      return 'the token does not allow this for this cache; have one made that does';
    case 'no-space':
      return 'free space on the server, or raise its quota; what is there stays';
    case 'too-large':
      return 'the server, or a proxy before it, limits the size of requests';
    default:
      return undefined;
  }
}
