import { authorize } from './authorize.ts';
import type { ApiParts } from './parts.ts';
import type { Handler } from './router.ts';
import { visibilityHeader } from './visibility.ts';

/** GET /{cache}/nix-cache-info: what makes Nix accept this URL as a substituter. */
export function nixCacheInfo(parts: ApiParts): Handler {
  return async (c) => {
    const { cache } = await authorize(parts, c, c.param('cache'), 'pull');
    const body = `WantMassQuery: 1\nStoreDir: ${cache.storeDir}\nPriority: ${cache.priority}\n`;
    return c.body(body, 200, {
      'Content-Type': 'text/x-nix-cache-info',
      'Content-Length': String(Buffer.byteLength(body)),
      ...visibilityHeader(cache),
    });
  };
}
