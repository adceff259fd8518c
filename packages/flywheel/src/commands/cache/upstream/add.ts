import { buildCommand } from '@stricli/core';
import type { UpstreamFlags } from '../../../caches/upstreams.ts';
import type { CliContext } from '../../../context.ts';
import { outputFlags } from '../../../output/index.ts';
import { serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';

export const add = buildCommand<UpstreamFlags, readonly string[], CliContext>({
  docs: {
    brief: 'Let a cache take what it lacks from another one',
    customUsage: ['CACHE URL KEY...'],
    fullDescription: describe(
      `
Adds an upstream cache: a path that CACHE lacks is looked for there, checked against the public keys, passed
on, and kept. The last one that was added is asked last. For a URL that is there already, the keys are replaced.`,
      [
        [
          './flywheel cache upstream add team https://cache.nixos.org cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=',
          'the cache of NixOS',
        ],
      ],
    ),
  },
  parameters: {
    flags: { ...serverFlags, ...outputFlags },
    positional: {
      kind: 'array',
      parameter: {
        parse: String,
        placeholder: 'CACHE URL KEY',
        brief: 'Name of the cache, URL of the other one, and its public keys',
      },
      minimum: 3,
    },
  },
  loader: lazily(async () => (await import('../../../caches/upstreams.ts')).runUpstreamAdd),
});
