import { FlywheelError, formatBytes } from '@flywheel/base';
import type { CliContext } from '../context.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { findServer } from './find-server.ts';
import type { ServerFlags } from './find-server.ts';
import { periodText } from './info.ts';
import { configureRetention, type CacheSettings } from './retention-api.ts';

export interface ConfigureFlags extends OutputFlags, ServerFlags {
  /** Seconds; 0 is for ever. */
  readonly retention?: number | 'default';
  /** Bytes. */
  readonly quota?: number | 'none';
}

export async function runCacheConfigure(
  context: CliContext,
  flags: ConfigureFlags,
  name: string,
): Promise<void> {
  const output = createOutput(context, flags);
  if (flags.retention === undefined && flags.quota === undefined) {
    throw new FlywheelError('invalid-input', 'nothing to change was named', {
      details: { hint: 'Give --retention, --quota or both.' },
    });
  }
  const server = await findServer(context, flags);
  const { retention, quota } = flags;
  const changes = {
    retention_seconds: retention === 'default' ? null : retention,
    quota_bytes: quota === 'none' ? null : quota,
  };
  const settings = await configureRetention(server, name, changes, context.signal);
  output.print(`${name} keeps paths ${keptText(settings)}, ${quotaText(settings)}.`);
  output.result(settings);
}

function keptText(settings: CacheSettings): string {
  const own = settings.retention_seconds;
  const seconds = own ?? settings.default_retention_seconds ?? 0;
  const source = own === null ? " (the server's own period)" : '';
  return seconds === 0
    ? `for ever${source}`
    : `${periodText(seconds)} after their last use${source}`;
}

function quotaText({ quota_bytes: bytes }: CacheSettings): string {
  return bytes === null ? 'without a quota' : `${formatBytes(bytes)} of them at most`;
}
