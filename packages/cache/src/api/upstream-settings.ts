import { z } from 'zod';
import { PublicKey } from '@flywheel/nix';
import { audit } from './audit.ts';
import { authorize } from './authorize.ts';
import type { ApiParts } from './parts.ts';
import { jsonBody } from './request-body.ts';
import type { Handler } from './router.ts';

const BODY_LIMIT = 64 * 1024;
/** Each miss asks them one after the other. */
const MAX_UPSTREAMS = 8;
const MAX_KEYS = 8;

const UpstreamUrl = z
  .string()
  .max(2000)
  .refine(isUpstreamUrl, 'must be an http or https URL without password, query and fragment')
  .transform((text) => new URL(text).href.replace(/\/*$/, '/'));

const Key = z.string().max(400).refine(isPublicKey, 'must be a public key, name:base64');

const Request = z.strictObject({
  upstreams: z
    .array(z.strictObject({ url: UpstreamUrl, public_keys: z.array(Key).min(1).max(MAX_KEYS) }))
    .max(MAX_UPSTREAMS),
});

/** GET /_flywheel/v1/caches/{cache}/upstreams. For those who may change them: they may be internal. */
export function getUpstreams(parts: ApiParts): Handler {
  return async (c) => {
    const { cache } = await authorize(parts, c, c.param('cache'), 'configureCache');
    return c.json({
      upstreams: cache.upstreams.map(({ url, publicKeys }) => ({ url, public_keys: publicKeys })),
    });
  };
}

/** PUT: all of them, in the order in which they are asked. */
export function putUpstreams(parts: ApiParts): Handler {
  return async (c) => {
    const name = c.param('cache');
    const { cache } = await authorize(parts, c, name, 'configureCache');
    const { upstreams } = await jsonBody(c, Request, BODY_LIMIT);
    await parts.store.metadata.setUpstreams(
      cache.id,
      upstreams.map((upstream) => ({ url: upstream.url, publicKeys: upstream.public_keys })),
    );
    parts.caches.forget(name);
    parts.objects.clear();
    const target = ['upstreams', ...upstreams.map(({ url }) => url)].join(' ');
    await audit(parts, c, { action: 'configure-cache', cache: name, target });
    return c.body(null, 200);
  };
}

function isUpstreamUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && username + password + search + hash === '';
}

function isPublicKey(text: string): boolean {
  try {
    return PublicKey.parse(text).toString() === text;
  } catch {
    return false;
  }
}
