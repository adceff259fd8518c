import type { CacheSettings } from './metadata.ts';

/** Of a cache in tests to which its settings do not matter. */
export const TEST_SETTINGS: CacheSettings = {
  secretKey: 'key:secret',
  isPublic: true,
  storeDir: '/nix/store',
  priority: 41,
  upstreamCacheKeyNames: [],
  retentionSeconds: undefined,
};
