import { z } from 'zod';
import { isStorePathHash } from '@flywheel/nix';
import { PATH_ORDERS, type ListedPath, type PathOrder } from '../db/path-records.ts';
import { orderValue } from '../db/sql-path-records.ts';
import { authorize } from './authorize.ts';
import { wireError } from './error-response.ts';
import type { ApiParts } from './parts.ts';
import { Name, PageSize, queryOf } from './query.ts';
import type { Handler } from './router.ts';

const Query = z.strictObject({
  search: Name.optional(),
  sort: z.enum(PATH_ORDERS).default('created'),
  /** `next` of the page before. */
  after: Name.optional(),
  limit: PageSize,
});

const Place = z.tuple([
  z.enum(PATH_ORDERS),
  z.union([z.number(), z.string()]),
  z.string().refine(isStorePathHash),
]);

/**
 * GET /_flywheel/v1/caches/{cache}/paths: what a cache holds, in pages. A page goes on where the one
 * before has ended, whatever was pushed meanwhile.
 */
export function listPaths(parts: ApiParts): Handler {
  return async (c) => {
    const { cache } = await authorize(parts, c, c.param('cache'), 'pull');
    const { search, sort: order, after, limit } = queryOf(c, Query);
    const { storeDir } = cache;
    const paths = await parts.store.metadata.listPaths({
      cacheId: cache.id,
      storeDir,
      search: search === undefined ? undefined : searchText(search, storeDir),
      order,
      after: after === undefined ? undefined : placeOf(after, order),
      limit,
    });
    const last = paths.length < limit ? undefined : paths.at(-1);
    const next =
      last && encodePlace([order, orderValue(last, { order, storeDir }), last.storePathHash]);
    return c.json({ paths: paths.map(shown), next: next ?? null });
  };
}

/** A whole store path is looked for by its hash. */
function searchText(search: string, storeDir: string): string {
  return search.startsWith(`${storeDir}/`)
    ? search.slice(storeDir.length + 1).slice(0, 32)
    : search;
}

function encodePlace(place: z.infer<typeof Place>): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function placeOf(text: string, order: PathOrder): { value: string | number; hash: string } {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    value = undefined;
  }
  const { success, data } = Place.safeParse(value);
  // Numbers and names do not compare, in PostgreSQL not even to false.
  if (!success || data[0] !== order || (typeof data[1] === 'string') !== (order === 'name')) {
    throw wireError('RequestError', 'after: not the `next` of a page in this order');
  }
  const [, at, hash] = data;
  if (typeof at === 'number' && !Number.isSafeInteger(at)) throw wireError('RequestError', 'after');
  if (typeof at === 'string' && at.includes('\0')) throw wireError('RequestError', 'after');
  return { value: at, hash };
}

function shown(path: ListedPath) {
  return {
    hash: path.storePathHash,
    store_path: path.storePath,
    nar_size: path.narSize,
    file_size: path.fileSize,
    created_at: new Date(path.createdAt).toISOString(),
    last_used_at: new Date(path.lastUsedAt).toISOString(),
    created_by: path.createdBy ?? null,
    references: path.references,
    damaged: path.isDamaged,
  };
}
