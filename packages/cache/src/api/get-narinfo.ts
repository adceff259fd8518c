import { authorize } from './authorize.ts';
import { wireError } from './error-response.ts';
import { getListing } from './get-listing.ts';
import type { ApiParts } from './parts.ts';
import { narInfoOf } from './rendered-narinfo.ts';
import type { Handler } from './router.ts';
import { parseStorePathFile } from './store-path-file.ts';
import { findUpstream } from './upstream-nar.ts';
import { upstreamNarInfo } from './upstream-narinfo.ts';

/** GET /{cache}/{hash}.narinfo, and .ls beside it. Permission first: absence is not an oracle. */
export function getStorePathFile(parts: ApiParts): Handler {
  const listing = getListing(parts);
  return async (c) => {
    const { hash, suffix } = parseStorePathFile(c.param('file'));
    if (suffix === 'ls') return listing(c);
    if (suffix !== 'narinfo') throw wireError('NotFound');
    c.exchange.route = 'get-narinfo';
    const { cache } = await authorize(parts, c, c.param('cache'), 'pull');
    const known = await parts.objects.find(cache, hash);
    if (known === undefined) {
      parts.figures.narInfoMisses += 1;
      const upstream = await findUpstream(parts, c, cache, hash);
      if (upstream === undefined) throw wireError('NoSuchObject');
      return upstreamNarInfo(cache, upstream);
    }
    parts.figures.narInfoHits += 1;
    parts.uses.note(cache.id, hash);
    return narInfoOf(cache, known);
  };
}
