import { buildCommand } from '@stricli/core';
import type { UpstreamFlags } from '../../../caches/upstreams.ts';
import type { CliContext } from '../../../context.ts';
import { outputFlags } from '../../../output/index.ts';
import { serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';
import { cacheName } from '../name.ts';

export const remove = buildCommand<UpstreamFlags, [string, string], CliContext>({
  docs: {
    brief: 'Ask an upstream cache no more',
    fullDescription: describe('Removes an upstream cache. What was taken from it stays.', [
      ['./flywheel cache upstream remove team https://cache.nixos.org', 'one of them'],
    ]),
  },
  parameters: {
    flags: { ...serverFlags, ...outputFlags },
    positional: {
      kind: 'tuple',
      parameters: [cacheName, { parse: String, placeholder: 'URL', brief: 'Its URL' }],
    },
  },
  loader: lazily(async () => (await import('../../../caches/upstreams.ts')).runUpstreamRemove),
});
