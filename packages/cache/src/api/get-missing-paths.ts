import { z } from 'zod';
import { isStorePathHash } from '@flywheel/nix';
import { authorize } from './authorize.ts';
import type { ApiParts } from './parts.ts';
import { jsonBody } from './request-body.ts';
import type { Handler } from './router.ts';

/** About 450,000 hashes. Attic's limit of 2 MiB refuses closures of 60,000 paths. */
const BODY_LIMIT = 16 * 1024 * 1024;

const Request = z.object({
  cache: z.string(),
  store_path_hashes: z.array(z.string().refine(isStorePathHash, 'not a store path hash')),
});

/** POST /_api/v1/get-missing-paths. Needs push, because it reveals what a cache holds. */
export function getMissingPaths(parts: ApiParts): Handler {
  return async (c) => {
    const request = await jsonBody(c, Request, BODY_LIMIT);
    const { cache } = await authorize(parts, c, request.cache, 'push');
    const hashes = request.store_path_hashes;
    const missing = await parts.store.metadata.missingPaths(cache.id, hashes);
    const absent = new Set(missing);
    // A path that is pushed again and again is in use, although nobody downloads it.
    for (const hash of hashes) if (!absent.has(hash)) parts.uses.note(cache.id, hash);
    return c.json({ missing_paths: missing });
  };
}
