import { z } from 'zod';
import { FlywheelError } from '@flywheel/base';
import { parseJson } from './parse-json.ts';

// Every field may be missing, and unknown ones are ignored: that is the protocol.
const Wire = z.object({
  substituter_endpoint: z.string().nullish(),
  api_endpoint: z.string().nullish(),
  public_key: z.string().nullish(),
  is_public: z.boolean().nullish(),
  store_dir: z.string().nullish(),
  priority: z.int().nullish(),
  upstream_cache_key_names: z.array(z.string()).nullish(),
  retention_period: z
    .union([z.literal('Global'), z.object({ Period: z.int().min(0) })])
    .nullish()
    // Nothing here depends on it; a new variant must not stop a push.
    .catch(undefined),
});

/** What a server says about one of its caches. Absent is what it did not say. */
export interface CacheConfig {
  readonly substituterEndpoint?: string;
  readonly apiEndpoint?: string;
  /** `name:base64`, for `trusted-public-keys`. */
  readonly publicKey?: string;
  readonly isPublic?: boolean;
  readonly storeDir?: string;
  readonly priority?: number;
  /** Paths signed by these keys come from elsewhere and need not be pushed. */
  readonly upstreamCacheKeyNames: readonly string[];
  /** In seconds; 0 keeps for ever, absent is the server's default. */
  readonly retentionPeriod?: number;
}

/** Reads the answer to GET cache-config. Throws `unsupported`: the other end is no Attic server. */
export function parseCacheConfig(text: string, url: URL): CacheConfig {
  const wire = Wire.safeParse(parseJson(text)).data;
  if (wire === undefined) {
    throw new FlywheelError('unsupported', `${url.href} does not answer as a cache server does`, {
      details: { hint: 'check the endpoint: is there a path before the API, or a login page?' },
    });
  }
  const retention = wire.retention_period;
  return {
    ...given('substituterEndpoint', wire.substituter_endpoint),
    ...given('apiEndpoint', wire.api_endpoint),
    ...given('publicKey', wire.public_key),
    ...given('isPublic', wire.is_public),
    ...given('storeDir', wire.store_dir),
    ...given('priority', wire.priority),
    ...given('retentionPeriod', typeof retention === 'object' ? retention?.Period : undefined),
    upstreamCacheKeyNames: wire.upstream_cache_key_names ?? [],
  };
}

function given<K extends string, T>(
  key: K,
  value: T | null | undefined,
): { readonly [P in K]?: T } {
  return (value === null || value === undefined ? {} : { [key]: value }) as { [P in K]?: T };
}
