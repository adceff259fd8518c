import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from './exchange.ts';
import { jsonReply, replyOf, type Reply } from './reply.ts';

type Headers = Readonly<Record<string, string>>;

/** What an endpoint gives when it has written the answer itself. */
export const ANSWERED = Symbol('answered');
export type Answer = Reply | typeof ANSWERED;

/** A request as endpoints see it, and the forms of their answers. */
export class ApiContext {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly exchange: Exchange;
  /** Without the query, not decoded. Empty for what is no path, as in `OPTIONS *`. */
  readonly path: string;
  /** The parts of the path that the route has names for, decoded. Set by the router. */
  params: ReadonlyMap<string, string> = new Map();
  readonly #query: string;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, exchange: Exchange) {
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.exchange = exchange;
    const target = pathOf(incoming.url ?? '');
    const end = target.search(/[?#]/);
    this.path = end < 0 ? target : target.slice(0, end);
    this.#query = end < 0 || target[end] === '#' ? '' : target.slice(end + 1);
  }

  get method(): string {
    return this.incoming.method ?? '';
  }

  /** A part of the path by its name in the route. */
  param(name: string): string {
    return this.params.get(name) ?? '';
  }

  /** The parameters of the URL; of one that is there several times, the first. */
  query(): Readonly<Record<string, string>> {
    return Object.fromEntries([...new URLSearchParams(this.#query)].toReversed());
  }

  json(value: unknown, status = 200, headers: Headers = {}): Reply {
    return jsonReply(status, value, Object.entries(headers).flat());
  }

  text(text: string, status = 200, headers: Headers = {}): Reply {
    return this.#reply('text/plain; charset=UTF-8', text, status, headers);
  }

  html(text: string, status = 200, headers: Headers = {}): Reply {
    return this.#reply('text/html; charset=UTF-8', text, status, headers);
  }

  /** Text is sent as UTF-8. Null: no body, of which to HEAD `headers` may still tell the length. */
  body(body: string | Uint8Array | null, status = 200, headers: Headers = {}): Reply {
    const names = Object.entries(headers).flat();
    if (body !== null) return replyOf(status, body, names);
    const isLengthKnown = 'Content-Length' in headers || this.method === 'HEAD' || status === 204;
    return { status, headers: isLengthKnown ? names : [...names, 'Content-Length', '0'], body: '' };
  }

  #reply(type: string, text: string, status: number, headers: Headers): Reply {
    return replyOf(status, text, ['Content-Type', type, ...Object.entries(headers).flat()]);
  }
}

/** RFC 9112 3.2: a path, or to proxies a whole URL. */
function pathOf(url: string): string {
  if (url.startsWith('/')) return url;
  const [origin] = /^https?:\/\/[^/?#]*/i.exec(url) ?? [];
  if (origin === undefined) return '';
  const rest = url.slice(origin.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
