import type { Clock } from '@flywheel/base';
import { SecretKey } from '@flywheel/nix';
import { permissionsFor } from '../access/permissions.ts';
import type { Metadata } from '../db/metadata.ts';
import type { CacheFigures } from '../db/path-records.ts';
import { claimsOf } from './authorize.ts';
import type { ApiParts } from './parts.ts';
import type { Handler } from './router.ts';

/** Counting reads every row of a large store. */
const FRESH_MS = 30_000;

/**
 * GET /_flywheel/v1/caches: the caches of which the caller may know; those that it may pull from
 * with what they hold.
 */
export function browseCaches(parts: ApiParts): Handler {
  const figures = remembered(parts.store.metadata, parts.clock);
  return async (c) => {
    const grants = (await claimsOf(parts, c))?.grants ?? [];
    const caches = (await parts.store.metadata.listCaches())
      .map((cache) => ({ cache, granted: permissionsFor(grants, cache.name) }))
      .filter(({ cache, granted }) => cache.isPublic || granted.size > 0);
    const counted = caches.length === 0 ? undefined : await figures();
    return c.json({
      caches: caches.map(({ cache, granted }) => ({
        name: cache.name,
        is_public: cache.isPublic,
        priority: cache.priority,
        store_dir: cache.storeDir,
        public_key: SecretKey.parse(cache.secretKey).publicKey,
        created_at: new Date(cache.createdAt).toISOString(),
        figures:
          cache.isPublic || granted.has('pull') ? shown(counted?.get(cache.id) ?? EMPTY) : null,
      })),
    });
  };
}

const EMPTY: CacheFigures = { paths: 0, narBytes: 0, fileBytes: 0 };

function shown({ paths, narBytes, fileBytes }: CacheFigures) {
  return { paths, nar_bytes: narBytes, file_bytes: fileBytes };
}

function remembered(metadata: Metadata, clock: Clock): Metadata['cacheFigures'] {
  let latest: { readonly until: number; readonly figures: ReturnType<typeof count> } | undefined;
  const count = () => metadata.cacheFigures();
  return () => {
    const now = clock.now();
    if (latest !== undefined && now < latest.until) return latest.figures;
    const taken = { until: now + FRESH_MS, figures: count() };
    latest = taken;
    taken.figures.catch(() => {
      if (latest === taken) latest = undefined;
    });
    return taken.figures;
  };
}
