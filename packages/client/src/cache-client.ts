import type { AgentOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { FlywheelError, retry } from '@flywheel/base';
import { isStorePathHash } from '@flywheel/nix';
import type { NarInfo } from '@flywheel/nix';
import manifest from '../package.json' with { type: 'json' };
import { errorOfAnswer, readText } from './answer.ts';
import { parseCacheConfig } from './cache-config.ts';
import type { CacheConfig } from './cache-config.ts';
import { download } from './download.ts';
import { delegate, parseEndpoint } from './endpoint.ts';
import { get } from './get.ts';
import { missingPathsBodies, parseMissingPaths } from './missing-paths.ts';
import { narUrl, parseNarInfoAnswer } from './nar-info-answer.ts';
import type { PathSource } from './path-source.ts';
import { patience } from './patience.ts';
import { Transport } from './transport.ts';
import { parseUploadAnswer } from './upload-answer.ts';
import type { UploadAnswer } from './upload-answer.ts';
import { uploadBody, uploadForm } from './upload-form.ts';

export interface CacheClientOptions {
  /** Base URL of the server, as for `attic login`. */
  readonly endpoint: string;
  readonly token?: string;
  readonly cache: string;
  /** For Node's agents: `ca`, `proxyEnv` and the like. */
  readonly agent?: AgentOptions;
  readonly idleTimeoutMs?: number;
  /** The wait before something is tried again; doubles each time. */
  readonly firstDelayMs?: number;
}

export interface UploadOptions {
  /** Hears of the NAR's bytes as they go out. */
  readonly onBytes?: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

const CACHE_NAME = /^[A-Za-z0-9][A-Za-z0-9\-_+]{0,49}$/;
/** What an HTTP header can carry. */
const TOKEN = /^[\x21-\x7e]+$/;

const IDLE_TIMEOUT_MS = 300_000;
const FIRST_DELAY_MS = 500;
const ATTEMPTS = 4;

const MAX_JSON_BYTES = 16 * 1024 * 1024;

/**
 * One cache of an Attic-compatible server. Small requests are tried again when the server does not
 * answer; an upload is not, see `pushPaths`. Errors carry the server's own words.
 */
export class CacheClient {
  readonly endpoint: string;
  readonly cache: string;
  readonly firstDelayMs: number;
  readonly #endpoint: URL;
  readonly #authorization: string | undefined;
  readonly #transport: Transport;
  /** Origins that get the token: the endpoint, and where it delegates to. */
  readonly #trusted = new Set<string>();
  #config: Promise<Site> | undefined;

  /** Contacts nobody yet. Throws `invalid-input`. */
  constructor(options: CacheClientOptions) {
    this.#endpoint = parseEndpoint(options.endpoint);
    this.endpoint = this.#endpoint.href;
    if (!CACHE_NAME.test(options.cache)) {
      throw new FlywheelError(
        'invalid-input',
        `${JSON.stringify(options.cache)} is not a cache name`,
      );
    }
    this.cache = options.cache;
    const token = options.token?.trim();
    if (token !== undefined && !TOKEN.test(token)) {
      throw new FlywheelError('invalid-input', 'the token is empty or has characters no token has');
    }
    this.#authorization = token === undefined ? undefined : `Bearer ${token}`;
    this.#trusted.add(this.#endpoint.origin);
    this.firstDelayMs = options.firstDelayMs ?? FIRST_DELAY_MS;
    this.#transport = new Transport({
      idleTimeoutMs: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
      agent: options.agent ?? {},
    });
  }

  /** What the server says about the cache. Asked for once. */
  async cacheConfig(): Promise<CacheConfig> {
    return (await this.#site()).config;
  }

  /** Which of these store-path hashes the cache does not have. Needs the right to push. */
  async missingPaths(
    hashes: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlySet<string>> {
    const { api } = await this.#site();
    const url = new URL('_api/v1/get-missing-paths', api);
    const missing = new Set<string>();
    for (const json of missingPathsBodies(this.cache, hashes)) {
      const text = await this.#retry(async () => {
        const headers = {
          ...this.#headers(),
          'Content-Type': 'application/json',
          'Content-Length': String(json.length),
        };
        const answer = await this.#transport.send({
          method: 'POST',
          url,
          headers,
          body: [json],
          signal,
        });
        return this.#good(answer, url, 'ask which paths are missing in');
      }, signal);
      for (const hash of parseMissingPaths(text, url)) missing.add(hash);
    }
    return missing;
  }

  /**
   * Sends one path, once. A server that refuses before it has read the NAR is heard.
   * Throws what the server says, and what reading the path throws.
   */
  async upload(source: PathSource, options: UploadOptions = {}): Promise<UploadAnswer> {
    const { api } = await this.#site();
    const url = new URL('_api/v1/upload-path', api);
    const form = uploadForm(this.cache, source);
    const answer = await this.#transport.send({
      method: 'PUT',
      url,
      headers: { ...this.#headers(), ...form.headers },
      body: uploadBody(form, source.nar(), options.onBytes),
      signal: options.signal,
    });
    return parseUploadAnswer(await this.#good(answer, url, `push ${source.storePath} to`));
  }

  /** What the cache says about a path, or undefined when it has none with this hash. */
  async narInfo(hash: string, signal?: AbortSignal): Promise<NarInfo | undefined> {
    if (!isStorePathHash(hash)) {
      throw new FlywheelError(
        'invalid-input',
        `${JSON.stringify(hash)} is not a store path's hash`,
      );
    }
    const { substituter } = await this.#site();
    const start = new URL(`${hash}.narinfo`, substituter);
    const text = await this.#retry(async () => {
      const { answer, url } = await this.#get(start, {}, signal);
      if (answer.statusCode === 404 || answer.statusCode === 410) {
        const error = await errorOfAnswer(answer, url, `read ${url.href}`);
        // A cache that is gone must not look like one without this path.
        if (error.details['error'] === 'NoSuchCache') throw error;
        return undefined;
      }
      return this.#good(answer, url, `read ${hash}.narinfo of`);
    }, signal);
    return text === undefined ? undefined : parseNarInfoAnswer(text, start, hash);
  }

  /**
   * The NAR's file as it is stored, compressed as the narinfo says. Goes on after a broken
   * connection, see `download`. Nothing is verified here.
   */
  async *nar(info: NarInfo, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const { substituter } = await this.#site();
    const url = narUrl(info, substituter);
    yield* download({
      attempted: `download the NAR of ${info.storePath} from ${url.origin}`,
      request: (headers) => this.#get(url, headers, signal),
      size: info.fileSize,
      firstDelayMs: this.firstDelayMs,
      signal,
    });
  }

  /** Closes the connections that were kept open. */
  close(): void {
    this.#transport.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #site(): Promise<Site> {
    this.#config ??= this.#askSite().catch((error: unknown) => {
      this.#config = undefined;
      throw error;
    });
    return this.#config;
  }

  async #askSite(): Promise<Site> {
    const start = new URL(`_api/v1/cache-config/${this.cache}`, this.#endpoint);
    const config = await this.#retry(async () => {
      const { answer, url } = await this.#get(start, {});
      return parseCacheConfig(await this.#good(answer, url, 'read the configuration of'), url);
    });
    const api = delegate(this.#endpoint, config.apiEndpoint);
    const named = config.substituterEndpoint ?? new URL(this.cache, api).href;
    const substituter = delegate(this.#endpoint, named);
    this.#trusted.add(api.origin);
    this.#trusted.add(substituter.origin);
    return { config, api, substituter };
  }

  #get(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<{ readonly answer: IncomingMessage; readonly url: URL }> {
    return get(this.#transport, url, {
      headers: { 'User-Agent': USER_AGENT, ...headers },
      authorization: this.#authorization,
      trusted: this.#trusted,
      signal,
    });
  }

  #headers(): Record<string, string> {
    return {
      'User-Agent': USER_AGENT,
      ...(this.#authorization === undefined ? {} : { Authorization: this.#authorization }),
    };
  }

  /** The text of a good answer; throws the error that a bad one stands for. */
  async #good(answer: IncomingMessage, url: URL, attempted: string): Promise<string> {
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return readText(answer, url, MAX_JSON_BYTES);
    throw await errorOfAnswer(answer, url, `${attempted} the cache ${this.cache} at ${url.origin}`);
  }

  #retry<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return retry(work, {
      ...patience(ATTEMPTS),
      firstDelayMs: this.firstDelayMs,
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

/** The cache's configuration and where it sends its clients. */
interface Site {
  readonly config: CacheConfig;
  readonly api: URL;
  /** Ends in `/`. */
  readonly substituter: URL;
}

const USER_AGENT = `flywheel/${manifest.version}`;
