import { buildClosure, startCacheProcess } from '@flywheel/testing';
import type {
  BuiltClosure,
  CacheProcess,
  CacheProcessOptions,
  NixEngine,
  NixStore,
} from '@flywheel/testing';

/** What each suite here starts from: our server, and a closure in a store of the nix under test. */
export interface Site extends AsyncDisposable {
  readonly server: CacheProcess;
  readonly builder: NixStore;
  readonly closure: BuiltClosure;
  /** A netrc for the server with the administrator's token, as `attic use` writes it. */
  readonly netrc: string;
}

export async function openSite(
  nix: NixEngine,
  paths: number,
  options: CacheProcessOptions = {},
): Promise<Site> {
  const server = await startCacheProcess(options);
  const netrc = netrcFor(server, server.adminToken);
  const builder = await nix.openStore({ netrc });
  const dispose = async (): Promise<void> => {
    await Promise.all([server[Symbol.asyncDispose](), builder[Symbol.asyncDispose]()]);
  };
  try {
    const closure = await buildClosure(builder, { paths });
    return { server, builder, closure, netrc, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Host without port and no login: the form that Attic's client leaves behind. */
export function netrcFor(server: CacheProcess, token: string): string {
  return `machine ${new URL(server.url).hostname}\npassword ${token}\n`;
}

export interface TestCache {
  /** What nix calls the substituter: no slash at the end. */
  readonly url: string;
  readonly name: string;
  readonly publicKey: string;
}

/** Creates a cache as `attic cache create` does. */
export async function createCache(
  server: CacheProcess,
  name: string,
  options: { readonly isPublic: boolean },
): Promise<TestCache> {
  const endpoint = `${server.url}_api/v1/cache-config/${name}`;
  const headers = { authorization: `bearer ${server.adminToken}` };
  const created = await fetch(endpoint, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({
      keypair: 'Generate',
      is_public: options.isPublic,
      store_dir: '/nix/store',
      priority: 41,
      upstream_cache_key_names: ['cache.nixos.org-1'],
    }),
  });
  if (!created.ok) throw new Error(`create ${name}: ${created.status} ${await created.text()}`);
  const config = await fetch(endpoint, { headers });
  const { public_key: publicKey } = (await config.json()) as { public_key: string };
  return { url: `${server.url}${name}`, name, publicKey };
}

/** The hash part of a store path, by which a cache names what belongs to it. */
export function hashOf(storePath: string): string {
  return storePath.slice('/nix/store/'.length, '/nix/store/'.length + 32);
}

/** Where a cache says that the NAR of a path is, relative to the cache. */
export async function narUrlOf(cache: TestCache, storePath: string): Promise<string> {
  const narinfo = await (await fetch(`${cache.url}/${hashOf(storePath)}.narinfo`)).text();
  return /^URL: (.+)$/m.exec(narinfo)?.[1] ?? '';
}
