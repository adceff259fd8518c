import { buildCommand } from '@stricli/core';
import type { ConfigureFlags } from '../../caches/configure.ts';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import { serverFlags } from '../flags.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { cacheName } from './name.ts';
import { parseCacheRetention, parseQuota } from './retention-flags.ts';

export const configure = buildCommand<ConfigureFlags, [string], CliContext>({
  docs: {
    brief: 'Set how long, and how much, a cache keeps',
    fullDescription: describe(
      `
Sets what a cache keeps: paths for a time after their last use, and as many as a quota has room for.
Closures stay whole, and pinned ones stay always. Takes effect with the next run of retention, every
hour. Needs a token with --configure-cache-retention.`,
      [
        ['./flywheel cache configure team --retention 90d', 'what was not used for 90 days goes'],
        ['./flywheel cache configure team --quota 500GiB', 'what was used longest ago goes first'],
        [
          './flywheel cache configure team --retention default --quota none',
          'as the server is set',
        ],
      ],
    ),
  },
  parameters: {
    flags: {
      retention: {
        kind: 'parsed',
        parse: parseCacheRetention,
        placeholder: 'TIME',
        brief: 'Keep paths for so long after their last use: 90d, forever, or default',
        optional: true,
      },
      quota: {
        kind: 'parsed',
        parse: parseQuota,
        placeholder: 'SIZE',
        brief: 'Keep so many bytes of compressed NARs: 500GiB, or none',
        optional: true,
      },
      ...serverFlags,
      ...outputFlags,
    },
    positional: { kind: 'tuple', parameters: [cacheName] },
  },
  loader: lazily(async () => (await import('../../caches/configure.ts')).runCacheConfigure),
});
