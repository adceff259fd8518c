import { createHash } from 'node:crypto';
import type { CacheServer } from '@flywheel/cache';
import { encodeNar, makeFixedOutputPath, parseStorePath } from '@flywheel/nix';

/** Pushes a file that holds its own name to the cache `team`; answers the store path. For tests. */
export async function pushSample(server: CacheServer, name: string): Promise<string> {
  const node = {
    type: 'regular',
    executable: false,
    size: name.length,
    contents: () => [Buffer.from(name)],
  } as const;
  const nar = Buffer.concat(await Array.fromAsync(encodeNar(node)));
  const hash = createHash('sha256').update(nar).digest();
  const storePath = makeFixedOutputPath({ method: 'recursive', hash, name });
  const answer = await fetch(`${server.url}_api/v1/upload-path`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${server.adminToken}`,
      'x-attic-nar-info': JSON.stringify({
        cache: 'team',
        store_path_hash: parseStorePath(storePath).hash,
        store_path: storePath,
        references: [],
        sigs: [],
        nar_hash: `sha256:${hash.toString('hex')}`,
        nar_size: nar.length,
      }),
    },
    body: nar,
  });
  if (!answer.ok) throw new Error(await answer.text());
  return storePath;
}
