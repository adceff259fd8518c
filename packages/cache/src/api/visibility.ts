import type { Cache } from '../db/metadata.ts';

/** Tells a CDN in front that it may keep the answer. */
export function visibilityHeader(cache: Cache): Record<string, string> {
  return cache.isPublic ? { 'X-Attic-Cache-Visibility': 'public' } : {};
}
