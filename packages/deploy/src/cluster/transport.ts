import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { collect, FlywheelError, toFlywheelError } from '@flywheel/base';
import { runExecPlugin } from './exec-credential.ts';
import type { ExecCredential } from './exec-credential.ts';
import type { ClusterAccess } from './kubeconfig.ts';

export interface TransportOptions {
  readonly env: Readonly<Partial<Record<string, string>>>;
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

export interface ClusterRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** From the root of the API, with its query. */
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
}

export interface ClusterAnswer {
  readonly status: number;
  readonly text: string;
}

const MAX_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
/** Credentials are renewed this long before they expire. */
const MARGIN_MS = 60_000;

type Headers = Readonly<Record<string, string | readonly string[]>>;

interface Way {
  readonly agent: http.Agent;
  readonly headers: Headers;
  readonly expiresMs: number;
}

/** Sends requests to one cluster, as the user of its context. */
export class Transport {
  readonly #access: ClusterAccess;
  readonly #options: TransportOptions;
  #way: Promise<Way> | undefined;

  constructor(access: ClusterAccess, options: TransportOptions) {
    this.#access = access;
    this.#options = options;
  }

  /** Any status is an answer. Throws `unavailable` when there is none. */
  async send(request: ClusterRequest): Promise<ClusterAnswer> {
    const answer = await this.#sendOnce(request);
    if (answer.status !== 401 || this.#access.user.exec == null) return answer;
    // A plugin's token may be revoked before its time.
    this.#way = undefined;
    return await this.#sendOnce(request);
  }

  async #sendOnce({ method, path, contentType, body }: ClusterRequest): Promise<ClusterAnswer> {
    const { agent, headers } = await this.#currentWay();
    const { server } = this.#access.cluster;
    const { request } = server.startsWith('http:') ? http : https;
    const url = `${server.replace(/\/+$/, '')}${path}`;
    const { signal } = this.#options;
    const options = {
      method,
      agent,
      timeout: TIMEOUT_MS,
      headers: {
        ...headers,
        ...(headers['authorization'] === undefined ? await this.#tokenFromFile() : {}),
        accept: 'application/json',
        'user-agent': 'flywheel',
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
        ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      },
      ...(signal === undefined ? {} : { signal }),
    };
    try {
      const response = await new Promise<http.IncomingMessage>((done, fail) => {
        const sent = request(url, options, done);
        sent.on('timeout', () => sent.destroy(new Error('no answer within 30 seconds')));
        sent.on('error', fail);
        sent.end(body);
      });
      const bytes = await collect(response, MAX_BYTES);
      return { status: response.statusCode ?? 0, text: bytes.toString() };
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#unreachable(error);
    }
  }

  async #currentWay(): Promise<Way> {
    const known = await this.#way;
    if (known !== undefined && known.expiresMs - MARGIN_MS > this.#options.now()) return known;
    known?.agent.destroy();
    // Requests that begin together share one run of the plugin.
    const way = this.#open();
    this.#way = way;
    way.catch(() => (this.#way = undefined));
    return await way;
  }

  async #open(): Promise<Way> {
    const { cluster, user } = this.#access;
    const { env, signal } = this.#options;
    if (user['auth-provider'] !== undefined && user['auth-provider'] !== null) {
      throw new FlywheelError('unsupported', 'the kubeconfig has an auth-provider', {
        details: {
          hint: 'kubectl has none either since 1.26: use a plugin ("exec") in its place.',
        },
      });
    }
    const plugged: ExecCredential =
      user.exec == null ? {} : await runExecPlugin(user.exec, cluster, env, signal);
    const files = {
      ca: await fileOr(cluster['certificate-authority-data'], cluster['certificate-authority']),
      cert:
        plugged.certificate ??
        (await fileOr(user['client-certificate-data'], user['client-certificate'])),
      key: plugged.key ?? (await fileOr(user['client-key-data'], user['client-key'])),
    };
    const proxy = cluster['proxy-url'];
    const proxyEnv = proxy == null ? env : { HTTPS_PROXY: proxy, HTTP_PROXY: proxy };
    const agentOptions = { keepAlive: true, proxyEnv };
    const agent = cluster.server.startsWith('http:')
      ? new http.Agent(agentOptions)
      : new https.Agent({
          ...agentOptions,
          ...defined(files),
          rejectUnauthorized: cluster['insecure-skip-tls-verify'] !== true,
          ...defined({ servername: cluster['tls-server-name'] ?? undefined }),
        });
    return {
      agent,
      headers: this.#headers(plugged),
      expiresMs: plugged.expiresMs ?? Number.POSITIVE_INFINITY,
    };
  }

  #headers(plugged: ExecCredential): Headers {
    const { user } = this.#access;
    const token = plugged.token ?? user.token;
    const basic = Buffer.from(`${user.username ?? ''}:${user.password ?? ''}`).toString('base64');
    return defined<string | readonly string[]>({
      authorization: token
        ? `Bearer ${token}`
        : user.username && !user.tokenFile
          ? `Basic ${basic}`
          : undefined,
      'impersonate-user': user.as ?? undefined,
      'impersonate-group': user['as-groups'] ?? undefined,
    });
  }

  /** Kubernetes replaces the token of a pod while it runs. */
  async #tokenFromFile(): Promise<Headers> {
    const token = (await fileOr(undefined, this.#access.user.tokenFile))?.trim();
    return token ? { authorization: `Bearer ${token}` } : {};
  }

  #unreachable(cause: unknown): FlywheelError {
    const { context, cluster } = this.#access;
    const { message } = toFlywheelError(cause);
    return new FlywheelError('unavailable', `${cluster.server} does not answer: ${message}`, {
      cause,
      details: { hint: `It is the cluster of the context "${context}".` },
    });
  }
}

async function fileOr(
  data: string | null | undefined,
  path: string | null | undefined,
): Promise<string | undefined> {
  if (data != null && data !== '') return Buffer.from(data, 'base64').toString();
  if (path == null || path === '') return undefined;
  return await readFile(path, 'utf8').catch((cause: unknown) => {
    throw toFlywheelError(cause, `read ${path}, which the kubeconfig names`);
  });
}

function defined<T>(fields: Readonly<Record<string, T | undefined>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, T] => entry[1] !== undefined),
  );
}
