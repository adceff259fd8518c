import { codeOfStatus, FlywheelError, messageOf } from '@flywheel/base';
import { z } from 'zod';
import type { Server } from './find-server.ts';

const ANSWER_TIMEOUT_MS = 30_000;

const CacheConfig = z.object({
  substituter_endpoint: z.string().optional(),
  api_endpoint: z.string().optional(),
  public_key: z.string(),
  is_public: z.boolean(),
  store_dir: z.string(),
  priority: z.number(),
  upstream_cache_key_names: z.array(z.string()),
  retention_period: z.union([z.literal('Global'), z.object({ Period: z.number() })]),
});

/** Field names as on the wire. */
export type CacheConfig = z.infer<typeof CacheConfig>;

const CacheList = z.object({
  caches: z.array(
    z.object({
      name: z.string(),
      is_public: z.boolean(),
      priority: z.number(),
      store_dir: z.string(),
      public_key: z.string(),
    }),
  ),
});

export type ListedCache = z.infer<typeof CacheList>['caches'][number];

export interface NewCache {
  readonly isPublic: boolean;
  /** Smaller goes first; that of cache.nixos.org is 40. */
  readonly priority: number;
  /** What these keys have signed is not pushed. */
  readonly upstreamKeyNames: readonly string[];
}

/** Throws `already-exists`, `unauthorized`, `forbidden` and what `call` throws. */
export async function createCache(
  server: Server,
  name: string,
  options: NewCache,
  signal?: AbortSignal,
): Promise<void> {
  await call(server, `_api/v1/cache-config/${encodeURIComponent(name)}`, signal, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      keypair: 'Generate',
      is_public: options.isPublic,
      store_dir: '/nix/store',
      priority: options.priority,
      upstream_cache_key_names: options.upstreamKeyNames,
    }),
  });
}

/** Throws `not-found`, and `unauthorized` for a cache of which the caller may not know. */
export async function readCacheConfig(
  server: Server,
  name: string,
  signal?: AbortSignal,
): Promise<CacheConfig> {
  const path = `_api/v1/cache-config/${encodeURIComponent(name)}`;
  return parse(CacheConfig, server, await call(server, path, signal));
}

/** The caches of which the caller may know. */
export async function listCaches(
  server: Server,
  signal?: AbortSignal,
): Promise<readonly ListedCache[]> {
  return parse(CacheList, server, await call(server, '_api/v1/caches', signal)).caches;
}

/** The body of a good answer. Throws what the server says otherwise, and `unavailable`. */
export async function call(
  server: Server,
  path: string,
  signal: AbortSignal | undefined,
  request: RequestInit = {},
): Promise<string> {
  const headers = new Headers(request.headers);
  if (server.token !== undefined) headers.set('authorization', `Bearer ${server.token}`);
  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const signals = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(server.endpoint + path, { ...request, headers, signal: signals });
    text = await answer.text();
  } catch (cause) {
    signal?.throwIfAborted();
    throw unreachable(server, cause);
  }
  if (!answer.ok) throw refusal(server, answer.status, text);
  return text;
}

function unreachable({ endpoint }: Server, cause: unknown): FlywheelError {
  // fetch says only "fetch failed"; what failed is the cause.
  const reason = messageOf((cause as Error).cause ?? cause);
  return new FlywheelError('unavailable', `${endpoint} does not answer: ${reason}`, {
    cause,
    details: { hint: 'Check the URL, and that the server runs; ./flywheel up starts one.' },
  });
}

const WireError = z.object({ error: z.string(), message: z.string() });

function refusal({ endpoint, token }: Server, status: number, text: string): FlywheelError {
  const { success, data } = WireError.safeParse(jsonOf(text));
  const words = success ? data.message : `HTTP status ${status}`;
  const code =
    success && data.error === 'CacheAlreadyExists' ? 'already-exists' : codeOfStatus(status);
  const hint = code === 'unauthorized' ? unauthorizedHint(token) : undefined;
  return new FlywheelError(code, `${endpoint} says: ${words}`, {
    details: hint === undefined ? {} : { hint },
  });
}

function unauthorizedHint(token: string | undefined): string {
  return token === undefined
    ? 'Give a token with --token-file FILE or FLYWHEEL_TOKEN.'
    : 'If the token itself is good, it names no permission for this cache, or there is none;\n' +
        'the server does not say which.';
}

export function parse<T>(schema: z.ZodType<T>, { endpoint }: Server, text: string): T {
  const result = schema.safeParse(jsonOf(text));
  if (result.success) return result.data;
  throw new FlywheelError('invalid-input', `${endpoint} does not answer like a cache server`, {
    cause: result.error,
    details: { hint: 'Check the URL: it is the root of an Attic server, without a cache name.' },
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
