import { isFlywheelError } from '@flywheel/base';
import { createCache, readCacheConfig } from '../caches/cache-api.ts';
import type { CacheConfig } from '../caches/cache-api.ts';
import { DEFAULT_UPSTREAM_KEYS } from '../caches/create.ts';
import type { Server } from '../caches/find-server.ts';

const DEFAULT_PRIORITY = 41;

/** The settings of the cache, which is made, public, where it is missing. */
export async function readyCache(
  server: Server,
  name: string,
  signal: AbortSignal,
): Promise<CacheConfig> {
  try {
    return await readCacheConfig(server, name, signal);
  } catch (error) {
    if (!isFlywheelError(error, 'not-found')) throw error;
  }
  const options = {
    isPublic: true,
    priority: DEFAULT_PRIORITY,
    upstreamKeyNames: DEFAULT_UPSTREAM_KEYS,
  };
  await createCache(server, name, options, signal);
  return await readCacheConfig(server, name, signal);
}
