import { buildCommand } from '@stricli/core';
import type { ListFlags } from '../../caches/list.ts';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import { serverFlags } from '../flags.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';

export const list = buildCommand<ListFlags, [], CliContext>({
  docs: {
    brief: 'List the caches of a server',
    fullDescription: describe(
      'Lists the public caches, and the private ones for which the token has a permission.',
      [
        ['./flywheel cache list', 'of the server that runs here'],
        ['./flywheel cache list --server https://cache.example.org/', 'of another one'],
      ],
    ),
  },
  parameters: { flags: { ...serverFlags, ...outputFlags } },
  loader: lazily(async () => (await import('../../caches/list.ts')).runCacheList),
});
