import { z } from 'zod';
import { audit } from './audit.ts';
import { authorize } from './authorize.ts';
import { wireError } from './error-response.ts';
import type { ApiParts } from './parts.ts';
import { queryOf } from './query.ts';
import type { Handler } from './router.ts';
import { parseStorePathFile } from './store-path-file.ts';

const Query = z.strictObject({ force: z.stringbool().default(false) });

/**
 * DELETE /{cache}/{hash}.narinfo: takes the path out of the cache. Its bytes go when nothing else
 * needs them. Refused while other paths of the cache refer to it: whoever pulls one of them would
 * find its closure broken.
 */
export function deletePath(parts: ApiParts): Handler {
  return async (c) => {
    const { hash, suffix } = parseStorePathFile(c.param('file'));
    if (suffix !== 'narinfo') throw wireError('NotFound');
    const { cache } = await authorize(parts, c, c.param('cache'), 'delete');
    const options = queryOf(c, Query);
    const outcome = await parts.store.metadata.removePath(cache.id, hash, options);
    if (outcome === undefined) throw wireError('NoSuchObject');
    if ('neededBy' in outcome) {
      throw wireError(
        'PathInUse',
        `${outcome.neededBy.join(' ')} refers to it; remove that first, or force it`,
      );
    }
    if ('pinnedBy' in outcome) {
      throw wireError(
        'PathInUse',
        `it is pinned as ${outcome.pinnedBy.join(', ')}; remove the pin first, or force it`,
      );
    }
    parts.objects.delete(cache.id, hash);
    await audit(parts, c, { action: 'delete', cache: cache.name, target: outcome.removed });
    return c.json({ store_path: outcome.removed });
  };
}
