import { buildCommand } from '@stricli/core';
import type { UpstreamFlags } from '../../../caches/upstreams.ts';
import type { CliContext } from '../../../context.ts';
import { outputFlags } from '../../../output/index.ts';
import { serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';
import { cacheName } from '../name.ts';

export const list = buildCommand<UpstreamFlags, [string], CliContext>({
  docs: {
    brief: 'List the upstream caches of a cache',
    fullDescription: describe(
      'Lists the upstream caches of a cache in the order in which they are asked. Needs a token that may configure it.',
      [['./flywheel cache upstream list team', 'of one cache']],
    ),
  },
  parameters: {
    flags: { ...serverFlags, ...outputFlags },
    positional: { kind: 'tuple', parameters: [cacheName] },
  },
  loader: lazily(async () => (await import('../../../caches/upstreams.ts')).runUpstreamList),
});
