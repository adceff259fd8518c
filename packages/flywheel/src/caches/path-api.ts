import { z } from 'zod';
import { call, parse } from './cache-api.ts';
import type { Server } from './find-server.ts';

const ListedPath = z.object({
  hash: z.string(),
  store_path: z.string(),
  nar_size: z.number(),
  file_size: z.number(),
  created_at: z.string(),
  last_used_at: z.string(),
  created_by: z.string().nullable(),
  references: z.number(),
  damaged: z.boolean(),
});
const PathPage = z.object({ paths: z.array(ListedPath), next: z.string().nullable() });
const DeletedPath = z.object({ store_path: z.string() });

/** Field names as on the wire. */
export type ListedPath = z.infer<typeof ListedPath>;

const LARGEST_PAGE = 1000;

export type PathSort = 'created' | 'used' | 'size' | 'name';

/** At most `limit`, in the order asked for. */
export async function listPaths(
  server: Server,
  cache: string,
  query: { readonly search: string | undefined; readonly sort: PathSort },
  limit: number,
  signal?: AbortSignal,
): Promise<readonly ListedPath[]> {
  const paths: ListedPath[] = [];
  for (let after: string | null = null; ;) {
    const search = new URLSearchParams({ sort: query.sort });
    search.set('limit', String(Math.min(LARGEST_PAGE, limit - paths.length)));
    if (query.search !== undefined) search.set('search', query.search);
    if (after !== null) search.set('after', after);
    const path = `_flywheel/v1/caches/${encodeURIComponent(cache)}/paths?${search.toString()}`;
    const page = parse(PathPage, server, await call(server, path, signal));
    paths.push(...page.paths);
    if (page.next === null || paths.length >= limit) return paths;
    after = page.next;
  }
}

/** The text of the narinfo. Throws `not-found`. */
export function readNarInfo(
  server: Server,
  cache: string,
  hash: string,
  signal?: AbortSignal,
): Promise<string> {
  return call(server, `${encodeURIComponent(cache)}/${hash}.narinfo`, signal);
}

/** The store path that is gone. Throws `not-found`, and `conflict` while other paths need it. */
export async function deletePath(
  server: Server,
  cache: string,
  hash: string,
  force: boolean,
  signal?: AbortSignal,
): Promise<string> {
  const path = `${encodeURIComponent(cache)}/${hash}.narinfo${force ? '?force=true' : ''}`;
  const text = await call(server, path, signal, { method: 'DELETE' });
  return parse(DeletedPath, server, text).store_path;
}
