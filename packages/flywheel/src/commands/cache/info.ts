import { buildCommand } from '@stricli/core';
import type { InfoFlags } from '../../caches/info.ts';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import { serverFlags } from '../flags.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { cacheName } from './name.ts';

export const info = buildCommand<InfoFlags, [string], CliContext>({
  docs: {
    brief: 'Show the settings of a cache, and the lines of nix.conf that use it',
    fullDescription: describe(
      'Shows how a cache is configured, its public key, and the two lines to put into nix.conf.',
      [
        ['./flywheel cache info team', 'on the server that runs here'],
        ['./flywheel cache info team --json', 'the same, for scripts'],
      ],
    ),
  },
  parameters: {
    flags: { ...serverFlags, ...outputFlags },
    positional: { kind: 'tuple', parameters: [cacheName] },
  },
  loader: lazily(async () => (await import('../../caches/info.ts')).runCacheInfo),
});
