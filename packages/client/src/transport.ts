import http from 'node:http';
import https from 'node:https';
import { FlywheelError, messageOf } from '@flywheel/base';
import type { ByteStream } from '@flywheel/base';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as it comes, chunked, unless the headers give a Content-Length. */
  readonly body?: ByteStream;
  readonly signal?: AbortSignal | undefined;
}

export interface TransportOptions {
  /** Gives up when not a byte has gone either way for so long. */
  readonly idleTimeoutMs: number;
  /** For Node's agents: `ca`, `proxyEnv` and the like. */
  readonly agent: https.AgentOptions;
}

/**
 * HTTP over node:http with connections kept open. Not `fetch`: that hides back-pressure, and an
 * answer that a server gives before it has read the whole body is lost in it.
 */
export class Transport {
  readonly #idleTimeoutMs: number;
  readonly #http: http.Agent;
  readonly #https: https.Agent;

  constructor({ idleTimeoutMs, agent }: TransportOptions) {
    this.#idleTimeoutMs = idleTimeoutMs;
    const kept = { ...agent, keepAlive: true, scheduling: 'lifo' as const };
    this.#http = new http.Agent(kept);
    this.#https = new https.Agent(kept);
  }

  /**
   * Sends a request and gives the answer as soon as its head is there, whatever its status. The
   * caller reads or destroys its body. When the answer comes before the body was sent, the rest of
   * that is not sent.
   * Throws `unavailable` for broken and refused connections, what the body throws, and the reason
   * of the signal.
   */
  async send(request: HttpRequest): Promise<http.IncomingMessage> {
    request.signal?.throwIfAborted();
    try {
      return await this.#exchange(request);
    } catch (error) {
      request.signal?.throwIfAborted();
      throw error;
    }
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  async #exchange({
    method,
    url,
    headers,
    body,
    signal,
  }: HttpRequest): Promise<http.IncomingMessage> {
    const isTls = url.protocol === 'https:';
    const request = (isTls ? https : http).request(url, {
      method,
      headers,
      agent: isTls ? this.#https : this.#http,
      timeout: this.#idleTimeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
    const exchange: Exchange = { request, settled: false, wake: () => {} };
    const answer = answerOf(exchange, url, this.#idleTimeoutMs);
    if (body === undefined) {
      request.end();
      return answer;
    }
    const sending = sendBody(exchange, body);
    try {
      return await Promise.race([answer, sending.then(() => answer)]);
    } catch (error) {
      // Either the connection broke, or the body did and the server must not take it for complete.
      request.destroy();
      answer.catch(() => {});
      await sending.catch(() => {});
      throw error;
    }
  }
}

/** A request under way; `settled` when its answer has begun or it has failed. */
interface Exchange {
  readonly request: http.ClientRequest;
  settled: boolean;
  /** Resumes who waits for the connection to take more. */
  wake: () => void;
}

function answerOf(
  exchange: Exchange,
  url: URL,
  idleTimeoutMs: number,
): Promise<http.IncomingMessage> {
  const { request } = exchange;
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      exchange.settled = true;
      exchange.wake();
    };
    request.on('drain', () => exchange.wake());
    request.once('timeout', () => {
      const seconds = Math.round(idleTimeoutMs / 1000);
      request.destroy(new FlywheelError('unavailable', `${url.host} was silent for ${seconds} s`));
    });
    request.once('response', (response) => {
      settle();
      resolve(response);
    });
    // Stays: after the answer has begun, its body tells of a broken connection, and this must not
    // end the process.
    request.on('error', (error) => {
      settle();
      reject(connectionError(url, error));
    });
  });
}

async function sendBody(exchange: Exchange, body: ByteStream): Promise<void> {
  const { request } = exchange;
  for await (const piece of body) {
    if (exchange.settled) return;
    if (!request.write(piece)) {
      await new Promise<void>((resolve) => {
        exchange.wake = resolve;
        if (exchange.settled) resolve();
      });
    }
    if (exchange.settled) return;
  }
  request.end();
}

/** What became of a connection, as `unavailable` unless trying again cannot help. */
export function connectionError(url: URL, error: unknown): unknown {
  if (error instanceof FlywheelError) return error;
  const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
  // The message of an AggregateError, one error an address, is empty.
  const reason = messageOf(error) || code;
  const text = `${url.origin} cannot be reached: ${reason}`;
  if (/CERT|^UNABLE_TO_|^ERR_TLS/.test(code)) {
    return new FlywheelError('forbidden', text, {
      cause: error,
      details: {
        hint: 'if its certificate is from a private authority, name that in NODE_EXTRA_CA_CERTS',
      },
    });
  }
  if (code === 'EPROTO' || code.startsWith('HPE_')) {
    return new FlywheelError('unsupported', text, {
      cause: error,
      details: { hint: `does ${url.host} speak ${url.protocol.slice(0, -1)}? Check the endpoint` },
    });
  }
  return new FlywheelError('unavailable', text, {
    cause: error,
    details: { hint: 'check the address, and whether the server runs' },
  });
}
