import type { UpstreamFigures } from '../upstream/upstream-figures.ts';
import type { CacheMetric } from './cache-metrics.ts';

/** Of each upstream cache. Their URLs are for those to choose who configure caches, 200 at most. */
export const UPSTREAM_METRICS: readonly CacheMetric[] = [
  ofEach('hits', 'narinfo_hits', 'Narinfos that an upstream cache had when it was asked.'),
  ofEach('misses', 'narinfo_misses', 'Narinfos that it had not.'),
  ofEach('errors', 'errors', 'Requests to it without an answer that could be used.'),
  ofEach('rejected', 'rejected', 'Paths not taken: not signed by its keys, or not what it said.'),
  ofEach('nars', 'nars', 'NARs taken from it into the store.'),
  ofEach('bytes', 'nar_bytes', 'Their plain bytes.'),
  {
    name: 'flywheel_cache_upstream_pulls_in_flight',
    help: 'Paths that are being fetched from upstream caches.',
    kind: 'gauge',
    read: ({ pullsInFlight }) => pullsInFlight(),
  },
];

function ofEach(field: keyof UpstreamFigures, name: string, help: string): CacheMetric {
  return {
    name: `flywheel_cache_upstream_${name}_total`,
    help,
    kind: 'counter',
    label: 'upstream',
    read: ({ upstreams }) =>
      Object.fromEntries([...upstreams()].map(([url, figures]) => [url, figures[field]])),
  };
}
