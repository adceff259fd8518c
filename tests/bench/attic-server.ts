import { startCacheProcess } from '@flywheel/testing';
import type { CacheProcess, CacheProcessOptions } from '@flywheel/testing';
import type { Transfer } from './curl.ts';
import type { PreparedNar } from './workload.ts';

/** The cache that all benchmarks use. */
export const CACHE = 'bench';

/** Our server with an empty public cache. */
export async function startServer(options: CacheProcessOptions = {}): Promise<CacheProcess> {
  const server = await startCacheProcess(options);
  const created = await fetch(`${server.url}_api/v1/cache-config/${CACHE}`, {
    method: 'POST',
    headers: {
      authorization: `bearer ${server.adminToken}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      keypair: 'Generate',
      is_public: true,
      store_dir: '/nix/store',
      priority: 41,
      upstream_cache_key_names: [],
    }),
  });
  if (created.ok) return server;
  await server[Symbol.asyncDispose]();
  throw new Error(`create the cache: ${created.status} ${await created.text()}`);
}

/** How many statements its database has run since it started. */
export async function statementCount(server: CacheProcess): Promise<number> {
  const answer = await fetch(`${server.url}_status.json`);
  return ((await answer.json()) as { statements: number }).statements;
}

/** The upload of a NAR as Attic's client does it. */
export function uploadOf(server: CacheProcess, nar: PreparedNar): Transfer {
  const info = {
    cache: CACHE,
    store_path_hash: nar.hash,
    store_path: nar.storePath,
    references: nar.references,
    system: null,
    deriver: null,
    sigs: [],
    ca: null,
    nar_hash: `sha256:${nar.narHash}`,
    nar_size: nar.narSize,
  };
  return {
    url: `${server.url}_api/v1/upload-path`,
    upload: nar.narFile,
    headers: [
      `Authorization: bearer ${server.adminToken}`,
      `X-Attic-Nar-Info: ${JSON.stringify(info)}`,
    ],
  };
}

/** The key that signs the cache's narinfos, as nix.conf wants it. */
export async function publicKeyOf(server: CacheProcess): Promise<string> {
  const headers = { authorization: `bearer ${server.adminToken}` };
  const answer = await fetch(`${server.url}_api/v1/cache-config/${CACHE}`, { headers });
  return ((await answer.json()) as { public_key: string }).public_key;
}
