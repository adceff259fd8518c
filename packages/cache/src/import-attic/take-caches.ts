import { FlywheelError } from '@flywheel/base';
import { SecretKey } from '@flywheel/nix';
import { isCacheName } from '../access/permissions.ts';
import type { CacheRow } from './attic-database.ts';
import { textsOf } from './attic-values.ts';
import type { Ours, Takeover } from './takeover.ts';

/** Makes the caches that are not there. Those that are stay as they are. */
export async function takeCaches({ attic, ours, tally }: Takeover): Promise<void> {
  for (const row of await attic.caches()) {
    checkCache(row);
    tally.caches.push(row.name);
    if (ours !== undefined) await takeCache(ours, row, tally.otherKeys);
  }
}

async function takeCache({ store, caches }: Ours, row: CacheRow, otherKeys: string[]) {
  const { metadata } = store;
  const known = await metadata.findCache(row.name);
  if (known !== undefined && known.secretKey !== row.keypair) otherKeys.push(row.name);
  const cache =
    known ??
    (await metadata.createCache(row.name, {
      secretKey: row.keypair,
      isPublic: row.is_public === true || row.is_public === 1,
      storeDir: row.store_dir,
      priority: row.priority,
      upstreamCacheKeyNames: textsOf(row.upstream_cache_key_names) ?? [],
      retentionSeconds: row.retention_period ?? undefined,
    }));
  caches.set(row.name, cache);
}

function checkCache({ name, keypair }: CacheRow): void {
  if (!isCacheName(name)) {
    throw new FlywheelError('invalid-input', `${JSON.stringify(name)} is no name of a cache`);
  }
  try {
    SecretKey.parse(keypair);
  } catch (cause) {
    // Without the cause's own words: what is malformed there is a secret.
    throw new FlywheelError('invalid-input', `the signing key of the cache ${name} is malformed`, {
      cause,
      details: { hint: 'give it a new one: attic cache configure --regenerate-keypair' },
    });
  }
}
