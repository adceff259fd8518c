import { z } from 'zod';
import { call, parse } from './cache-api.ts';
import type { Server } from './find-server.ts';

const Upstreams = z.object({
  upstreams: z.array(z.object({ url: z.string(), public_keys: z.array(z.string()) })),
});

/** Field names as on the wire. */
export type UpstreamEntry = z.infer<typeof Upstreams>['upstreams'][number];

/** In the order in which they are asked. */
export async function readUpstreams(
  server: Server,
  cache: string,
  signal?: AbortSignal,
): Promise<readonly UpstreamEntry[]> {
  return parse(Upstreams, server, await call(server, pathOf(cache), signal)).upstreams;
}

export async function writeUpstreams(
  server: Server,
  cache: string,
  upstreams: readonly UpstreamEntry[],
  signal?: AbortSignal,
): Promise<void> {
  await call(server, pathOf(cache), signal, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ upstreams }),
  });
}

function pathOf(cache: string): string {
  return `_flywheel/v1/caches/${encodeURIComponent(cache)}/upstreams`;
}
