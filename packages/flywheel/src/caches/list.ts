import type { CliContext } from '../context.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { listCaches } from './cache-api.ts';
import { findServer } from './find-server.ts';
import type { ServerFlags } from './find-server.ts';

export type ListFlags = OutputFlags & ServerFlags;

export async function runCacheList(context: CliContext, flags: ListFlags): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const caches = await listCaches(server, context.signal);
  if (caches.length === 0) output.print(`No caches on ${server.endpoint} that you may see.`);
  else output.print(formatTable([HEAD, ...caches.map(rowOf)]));
  output.result({ server: server.endpoint, caches });
}

const HEAD = ['NAME', 'VISIBILITY', 'PRIORITY', 'PUBLIC KEY'];

function rowOf(cache: Awaited<ReturnType<typeof listCaches>>[number]): readonly string[] {
  const visibility = cache.is_public ? 'public' : 'private';
  return [cache.name, visibility, String(cache.priority), cache.public_key];
}
