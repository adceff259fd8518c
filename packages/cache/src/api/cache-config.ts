import { z } from 'zod';
import { messageOf } from '@flywheel/base';
import { DEFAULT_STORE_DIR, generateSecretKey, SecretKey } from '@flywheel/nix';
import { permissionsFor, isCacheName } from '../access/permissions.ts';
import type { CacheSettings } from '../db/metadata.ts';
import { audit } from './audit.ts';
import { authorize, claimsOf, unauthorized } from './authorize.ts';
import { endpointsOf } from './endpoints.ts';
import { wireError } from './error-response.ts';
import type { ApiParts } from './parts.ts';
import { jsonBody } from './request-body.ts';
import type { Handler } from './router.ts';

const BODY_LIMIT = 2 * 1024 * 1024;
const MAX_PERIOD = 2 ** 31 - 1;
const MAX_PRIORITY = 2 ** 31 - 1;

const Keypair = z.union([z.literal('Generate'), z.object({ Keypair: z.string() })]);
const StoreDir = z.string().regex(/^\/[^\s]*[^\s/]$/, 'must be an absolute path');
const Priority = z
  .int()
  .min(-MAX_PRIORITY - 1)
  .max(MAX_PRIORITY);
const KeyNames = z.array(z.string().regex(/^[^\s:]+$/, 'must be a key name'));

const CreateRequest = z.object({
  keypair: Keypair,
  is_public: z.boolean(),
  store_dir: StoreDir,
  priority: Priority,
  upstream_cache_key_names: KeyNames,
});

const ConfigureRequest = z.object({
  keypair: Keypair.nullish(),
  is_public: z.boolean().nullish(),
  store_dir: StoreDir.nullish(),
  priority: Priority.nullish(),
  upstream_cache_key_names: KeyNames.nullish(),
  retention_period: z
    .union([
      z.literal('Global'),
      z.object({
        Period: z
          .int()
          .min(0)
          .max(2 ** 32 - 1),
      }),
    ])
    .nullish(),
});

/** GET /_api/v1/cache-config/{cache} and /{cache}/attic-cache-info: what a client must know. */
export function getCacheConfig(parts: ApiParts): Handler {
  return async (c) => {
    const { cache } = await authorize(parts, c, c.param('cache'), 'pull');
    const { api, substituter } = endpointsOf(parts.settings, c.incoming.headers);
    return c.json({
      substituter_endpoint: `${substituter}${cache.name}`,
      api_endpoint: api,
      public_key: cache.key.publicKey,
      is_public: cache.isPublic,
      store_dir: cache.storeDir,
      priority: cache.priority,
      upstream_cache_key_names: cache.upstreamCacheKeyNames,
      retention_period:
        cache.retentionSeconds === undefined ? 'Global' : { Period: cache.retentionSeconds },
    });
  };
}

/** POST: creates the cache. The token alone decides; the cache need not exist. */
export function createCache(parts: ApiParts): Handler {
  return async (c) => {
    const name = c.param('cache');
    if (!isCacheName(name)) throw wireError('InvalidCacheName', JSON.stringify(name));
    const claims = await claimsOf(parts, c);
    const granted = permissionsFor(claims?.grants ?? [], name);
    if (granted.size === 0) throw await unauthorized(parts, c);
    if (!granted.has('createCache')) throw wireError('AccessError');
    const request = await jsonBody(c, CreateRequest, BODY_LIMIT);
    await parts.store.metadata.createCache(name, {
      secretKey: secretKeyOf(request.keypair, name),
      isPublic: request.is_public,
      storeDir: request.store_dir,
      priority: request.priority,
      upstreamCacheKeyNames: request.upstream_cache_key_names,
      retentionSeconds: undefined,
    });
    parts.caches.forget(name);
    await audit(parts, c, { action: 'create-cache', cache: name });
    return c.body(null, 200);
  };
}

/**
 * PATCH: changes what the body names. The stock client sends `retention_period: "Global"` with every
 * `cache configure`, whether its user meant it or not, so a caller who may not set retention is not
 * refused for that value, which then changes nothing.
 */
export function configureCache(parts: ApiParts): Handler {
  return async (c) => {
    const name = c.param('cache');
    const { cache, may } = await authorize(parts, c, name, 'configureCache');
    const request = await jsonBody(c, ConfigureRequest, BODY_LIMIT);
    const changes: Partial<Mutable<CacheSettings>> = {};
    if (request.keypair != null) changes.secretKey = secretKeyOf(request.keypair, name);
    if (request.is_public != null) changes.isPublic = request.is_public;
    if (request.store_dir != null) changes.storeDir = request.store_dir;
    if (request.priority != null) changes.priority = request.priority;
    if (request.upstream_cache_key_names != null) {
      changes.upstreamCacheKeyNames = request.upstream_cache_key_names;
    }
    const retention = request.retention_period;
    if (Object.keys(changes).length === 0 && retention == null) {
      throw wireError('RequestError', 'No modifiable fields were set.');
    }
    if (retention != null) {
      const seconds = retention === 'Global' ? undefined : retention.Period;
      if (seconds !== undefined && seconds > MAX_PERIOD) {
        throw wireError('RequestError', 'Invalid retention period');
      }
      if (may('configureCacheRetention')) changes.retentionSeconds = seconds;
      else if (retention !== 'Global') throw wireError('AccessError');
    }
    if (Object.keys(changes).length > 0) {
      await parts.store.metadata.updateCache(cache.id, changes);
      parts.caches.forget(name);
      parts.objects.clear();
    }
    const changed = Object.keys(changes).map((key) => (key === 'secretKey' ? 'keypair' : key));
    await audit(parts, c, { action: 'configure-cache', cache: name, target: changed.join(' ') });
    return c.body(null, 200);
  };
}

/** DELETE: the cache and its objects go now, their NARs when nothing else refers to them. */
export function destroyCache(parts: ApiParts): Handler {
  return async (c) => {
    const name = c.param('cache');
    const { cache } = await authorize(parts, c, name, 'destroyCache');
    const existed = await parts.store.metadata.deleteCache(cache.id);
    parts.caches.forget(name);
    parts.objects.clear();
    if (!existed) throw wireError('NoSuchCache');
    await audit(parts, c, { action: 'destroy-cache', cache: name });
    return c.body(null, 200);
  };
}

/** GET /_api/v1/caches: the caches of which the caller may know, ours beside Attic's protocol. */
export function listCaches(parts: ApiParts): Handler {
  return async (c) => {
    const grants = (await claimsOf(parts, c))?.grants ?? [];
    const caches = await parts.store.metadata.listCaches();
    const visible = caches.filter(
      (cache) => cache.isPublic || permissionsFor(grants, cache.name).size > 0,
    );
    return c.json({
      caches: visible.map((cache) => ({
        name: cache.name,
        is_public: cache.isPublic,
        priority: cache.priority,
        store_dir: cache.storeDir,
        public_key: SecretKey.parse(cache.secretKey).publicKey,
      })),
    });
  };
}

export const DEFAULT_CACHE_SETTINGS = {
  isPublic: false,
  storeDir: DEFAULT_STORE_DIR,
  priority: 41,
  upstreamCacheKeyNames: ['cache.nixos.org-1'],
  retentionSeconds: undefined,
} as const;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function secretKeyOf(keypair: z.infer<typeof Keypair>, cacheName: string): string {
  if (keypair === 'Generate') return generateSecretKey(cacheName);
  try {
    SecretKey.parse(keypair.Keypair);
  } catch (error) {
    throw wireError('RequestError', `the keypair is not a Nix secret key: ${messageOf(error)}`);
  }
  return keypair.Keypair;
}
