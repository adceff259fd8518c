import type { CliContext } from '../context.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { createCache, readCacheConfig } from './cache-api.ts';
import { findServer } from './find-server.ts';
import type { ServerFlags } from './find-server.ts';
import { describeCache } from './info.ts';

export interface CreateFlags extends OutputFlags, ServerFlags {
  readonly public?: boolean;
  readonly priority: number;
  readonly upstreamKey?: readonly string[];
}

/** As `attic cache create` does. */
export const DEFAULT_UPSTREAM_KEYS: readonly string[] = ['cache.nixos.org-1'];

export async function runCacheCreate(
  context: CliContext,
  flags: CreateFlags,
  name: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const options = {
    isPublic: flags.public === true,
    priority: flags.priority,
    upstreamKeyNames: flags.upstreamKey ?? DEFAULT_UPSTREAM_KEYS,
  };
  await createCache(server, name, options, context.signal);
  output.print(`Created the ${options.isPublic ? 'public' : 'private'} cache ${name}.`);
  // Whoever may make a cache need not be allowed to read it.
  const config = await readCacheConfig(server, name, context.signal).catch(() => undefined);
  if (config !== undefined) {
    output.print();
    describeCache(output, server, name, config);
  }
  output.result({ name, ...config });
}
