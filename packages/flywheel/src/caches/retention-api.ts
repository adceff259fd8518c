import { z } from 'zod';
import { call, parse } from './cache-api.ts';
import type { Server } from './find-server.ts';

// What a cache keeps: ours beside Attic's protocol. Field names as on the wire.

const CacheSettings = z.object({
  name: z.string(),
  retention_seconds: z.number().nullable(),
  default_retention_seconds: z.number().nullable(),
  quota_bytes: z.number().nullable(),
});

export type CacheSettings = z.infer<typeof CacheSettings>;

const Pin = z.object({
  name: z.string(),
  keep_revisions: z.number(),
  keep_days: z.number().nullable(),
  revisions: z.array(
    z.object({
      revision: z.number(),
      store_path: z.string(),
      created_at: z.number(),
      created_by: z.string().nullable(),
    }),
  ),
});

export type Pin = z.infer<typeof Pin>;

export interface NewPin {
  readonly storePath: string;
  readonly keepRevisions: number | undefined;
  readonly keepDays: number | undefined;
}

function cachePath(cache: string): string {
  return `_flywheel/v1/caches/${encodeURIComponent(cache)}`;
}

function pinPath(cache: string, pin: string): string {
  return `${cachePath(cache)}/pins/${encodeURIComponent(pin)}`;
}

function json(method: string, body: object): RequestInit {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** Null takes a setting away, undefined leaves it. */
export async function configureRetention(
  server: Server,
  cache: string,
  changes: {
    readonly retention_seconds?: number | null | undefined;
    readonly quota_bytes?: number | null | undefined;
  },
  signal?: AbortSignal,
): Promise<CacheSettings> {
  const text = await call(server, cachePath(cache), signal, json('PATCH', changes));
  return parse(CacheSettings, server, text);
}

export async function putPin(
  server: Server,
  cache: string,
  name: string,
  pin: NewPin,
  signal?: AbortSignal,
): Promise<Pin> {
  const body = {
    store_path: pin.storePath,
    keep_revisions: pin.keepRevisions,
    keep_days: pin.keepDays,
  };
  return parse(Pin, server, await call(server, pinPath(cache, name), signal, json('PUT', body)));
}

export async function listPins(
  server: Server,
  cache: string,
  signal?: AbortSignal,
): Promise<readonly Pin[]> {
  const text = await call(server, `${cachePath(cache)}/pins`, signal);
  return parse(z.object({ pins: z.array(Pin) }), server, text).pins;
}

/** Throws `not-found` when there is none. */
export async function removePin(
  server: Server,
  cache: string,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  await call(server, pinPath(cache, name), signal, { method: 'DELETE' });
}
