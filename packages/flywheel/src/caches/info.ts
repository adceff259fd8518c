import { formatDuration } from '@flywheel/base';
import type { CliContext } from '../context.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { Output, OutputFlags } from '../output/index.ts';
import { readCacheConfig } from './cache-api.ts';
import type { CacheConfig } from './cache-api.ts';
import { findServer } from './find-server.ts';
import type { Server, ServerFlags } from './find-server.ts';
import { nixConfLines } from './nix-conf.ts';

export type InfoFlags = OutputFlags & ServerFlags;

export async function runCacheInfo(
  context: CliContext,
  flags: InfoFlags,
  name: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const config = await readCacheConfig(server, name, context.signal);
  describeCache(output, server, name, config);
  output.result({ name, ...config });
}

export function describeCache(
  output: Output,
  server: Server,
  name: string,
  config: CacheConfig,
): void {
  const substituter = config.substituter_endpoint ?? `${server.endpoint}${name}`;
  const retention = config.retention_period;
  output.print(
    formatTable([
      ['Cache', output.style('bold', name)],
      ['Visibility', config.is_public ? 'public' : 'private'],
      ['Public key', config.public_key],
      ['Substituter', substituter],
      ['Server', config.api_endpoint ?? server.endpoint],
      ['Store', config.store_dir],
      ['Priority', String(config.priority)],
      ['Not pushed', config.upstream_cache_key_names.join(', ') || 'nothing'],
      ['Kept for', retention === 'Global' ? "the server's time" : periodText(retention.Period)],
    ]),
  );
  output.print();
  output.print('In nix.conf:');
  output.print();
  for (const line of nixConfLines(substituter, config.public_key)) output.print(`    ${line}`);
  if (config.is_public) return;
  output.print();
  output.print(`It is private: Nix needs a token in its netrc. "attic use" writes it.`);
}

export function periodText(seconds: number): string {
  if (seconds === 0) return 'ever';
  return seconds % 86_400 === 0 ? `${seconds / 86_400} days` : formatDuration(seconds * 1000);
}
