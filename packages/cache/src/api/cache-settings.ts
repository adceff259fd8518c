import { z } from 'zod';
import type { CacheSettings } from '../db/metadata.ts';
import { authorize } from './authorize.ts';
import type { LiveCache } from './cache-directory.ts';
import { wireError } from './error-response.ts';
import type { ApiParts } from './parts.ts';
import { jsonBody } from './request-body.ts';
import type { Handler } from './router.ts';

const BODY_LIMIT = 64 * 1024;

/** Null takes the setting away: the server's own period, no quota. */
const Changes = z.strictObject({
  retention_seconds: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .nullish(),
  quota_bytes: z.int().min(1).nullish(),
});

/** GET /_flywheel/v1/caches/{cache}: what Attic's protocol has no word for. */
export function getCacheSettings(parts: ApiParts): Handler {
  return async (c) => {
    const { cache } = await authorize(parts, c, c.param('cache'), 'pull');
    return c.json(wireSettings(parts, cache));
  };
}

/** PATCH: changes what the body names. */
export function configureCacheSettings(parts: ApiParts): Handler {
  return async (c) => {
    const name = c.param('cache');
    const { cache, claims } = await authorize(parts, c, name, 'configureCacheRetention');
    const request = await jsonBody(c, Changes, BODY_LIMIT);
    const changes: { -readonly [K in keyof CacheSettings]?: CacheSettings[K] } = {};
    if (request.retention_seconds !== undefined) {
      changes.retentionSeconds = request.retention_seconds ?? undefined;
    }
    if (request.quota_bytes !== undefined) changes.quotaBytes = request.quota_bytes ?? undefined;
    const changed = Object.keys(changes);
    if (changed.length === 0) {
      throw wireError('RequestError', 'name retention_seconds or quota_bytes');
    }
    await parts.store.metadata.updateCache(cache.id, changes);
    parts.caches.forget(name);
    parts.logger.info('cache configured', { cache: name, by: claims?.subject, changed });
    return c.json(wireSettings(parts, { ...cache, ...changes }));
  };
}

function wireSettings(parts: ApiParts, cache: LiveCache) {
  return {
    name: cache.name,
    retention_seconds: cache.retentionSeconds ?? null,
    default_retention_seconds: parts.defaultRetentionSeconds ?? null,
    quota_bytes: cache.quotaBytes ?? null,
  };
}
