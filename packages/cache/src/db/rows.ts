import { decodeSegments } from '@flywheel/chunking';
import type { Cache, Nar, Upstream } from './metadata.ts';
import type { CacheRow, NarRow } from './schema.ts';

// Rows into the store's own types. Written once here, so that no query hand-converts.

export function cacheOf(row: CacheRow): Cache {
  return {
    id: row.id,
    name: row.name,
    secretKey: row.secret_key,
    isPublic: row.is_public === 1,
    storeDir: row.store_dir,
    priority: row.priority,
    upstreamCacheKeyNames: JSON.parse(row.upstream_cache_key_names) as string[],
    retentionSeconds: row.retention_period ?? undefined,
    quotaBytes: row.quota_bytes ?? undefined,
    createdAt: row.created_at,
    upstreams: JSON.parse(row.upstreams) as Upstream[],
  };
}

export function narOf(row: Omit<NarRow, 'damaged' | 'created_at'>): Nar {
  return {
    id: row.id,
    hash: bufferOf(row.hash),
    size: row.size,
    fileSize: row.file_size,
    segments: decodeSegments(row.segments),
  };
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Parameters a statement may have: PostgreSQL takes 65,535, SQLite 32,766. */
export const LIST_LIMIT = 4096;

/** The list in runs of at most `size`, for statements with bounded parameters. */
export function* batches<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size);
}

/**
 * The list repeated at its end up to a power of two. A list makes its own SQL text for each length,
 * and a prepared statement of a thousand parameters takes hundreds of KiB: few lengths, few texts.
 */
export function padded<T>(list: readonly T[]): readonly T[] {
  const last = list.at(-1);
  if (last === undefined) return list;
  const length = 2 ** Math.ceil(Math.log2(list.length));
  return [...list, ...Array<T>(length - list.length).fill(last)];
}

const INSERT_SIZES = [256, 64, 16, 4, 1] as const;

/** The list in runs of few different lengths, for inserts, where nothing may be repeated. */
export function* insertRuns<T>(list: readonly T[]): Generator<readonly T[]> {
  let at = 0;
  for (const size of INSERT_SIZES) {
    for (; at + size <= list.length; at += size) yield list.slice(at, at + size);
  }
}
