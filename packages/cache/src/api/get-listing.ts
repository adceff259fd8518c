import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { authorize } from './authorize.ts';
import { wireError } from './error-response.ts';
import type { ApiParts } from './parts.ts';
import type { Handler } from './router.ts';
import { parseStorePathFile } from './store-path-file.ts';
import { visibilityHeader } from './visibility.ts';

const decompress = promisify(zstdDecompress);

/** GET /{cache}/{hash}.ls: the files inside a NAR, for `nix store ls`, nix-index and comma. */
export function getListing(parts: ApiParts): Handler {
  return async (c) => {
    c.exchange.route = 'get-listing';
    const { hash } = parseStorePathFile(c.param('file'));
    const { cache } = await authorize(parts, c, c.param('cache'), 'pull');
    const known = await parts.objects.find(cache, hash);
    if (known === undefined) throw wireError('NoSuchObject');
    const compressed = await parts.store.metadata.findListing(known.object.nar.id);
    if (compressed === undefined) throw wireError('NoSuchObject');
    const body = await decompress(compressed);
    return c.body(body, 200, {
      'Content-Type': 'application/json',
      'Content-Length': String(body.length),
      ...visibilityHeader(cache),
    });
  };
}
