import { fingerprint, formatNarInfo } from '@flywheel/nix';
import type { StoredObject } from '../db/metadata.ts';
import { authorize } from './authorize.ts';
import type { LiveCache } from './cache-directory.ts';
import { wireError } from './error-response.ts';
import { getListing } from './get-listing.ts';
import type { ApiParts, Handler } from './parts.ts';
import { parseStorePathFile } from './store-path-file.ts';
import { visibilityHeader } from './visibility.ts';

/** GET /{cache}/{hash}.narinfo, and .ls beside it. Permission first: absence is not an oracle. */
export function getStorePathFile(parts: ApiParts): Handler {
  const listing = getListing(parts);
  return async (c) => {
    const { hash, suffix } = parseStorePathFile(c.req.param('file') ?? '');
    if (suffix === 'ls') return listing(c);
    if (suffix !== 'narinfo') throw wireError('NotFound');
    const { cache } = await authorize(parts, c, c.req.param('cache') ?? '', 'pull');
    const body = await narInfoBody(parts, cache, hash);
    parts.uses.note(cache.id, hash);
    return c.body(body as Uint8Array<ArrayBuffer>, 200, {
      'Content-Type': 'text/x-nix-narinfo',
      'Content-Length': String(body.length),
      ...visibilityHeader(cache),
    });
  };
}

async function narInfoBody(parts: ApiParts, cache: LiveCache, hash: string): Promise<Buffer> {
  const known = await parts.objects.find(cache, hash);
  if (known === undefined) throw wireError('NoSuchObject');
  known.narInfo ??= Buffer.from(renderNarInfo(cache, known.object));
  return known.narInfo;
}

/** The narinfo as Nix reads it, signed with the cache's current key. */
export function renderNarInfo(cache: LiveCache, object: StoredObject): string {
  const { nar, storePath, references, deriver, system, ca } = object;
  const signature = cache.key.sign(
    fingerprint({ storePath, narHash: nar.hash, narSize: nar.size, references }),
  );
  return formatNarInfo({
    storePath,
    url: `nar/${object.storePathHash}.nar`,
    compression: 'zstd',
    fileSize: nar.fileSize,
    narHash: nar.hash,
    narSize: nar.size,
    references,
    sigs: [signature],
    ...(deriver === undefined ? {} : { deriver }),
    ...(system === undefined ? {} : { system }),
    ...(ca === undefined ? {} : { ca }),
  });
}
