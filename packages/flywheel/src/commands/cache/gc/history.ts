import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../../context.ts';
import { outputFlags, type OutputFlags } from '../../../output/index.ts';
import type { ServerFlags } from '../../../caches/find-server.ts';
import { serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';

export const history = buildCommand<OutputFlags & ServerFlags, [], CliContext>({
  docs: {
    brief: 'Show the last runs of retention',
    fullDescription: describe(
      'Shows the runs that wait, are under way, or were done: the last 200, whoever asked for them.',
      [
        ['./flywheel cache gc history', 'on the server that runs here'],
        ['./flywheel cache gc history --json', 'with everything that each of them did'],
      ],
    ),
  },
  parameters: { flags: { ...serverFlags, ...outputFlags } },
  loader: lazily(async () => (await import('../../../caches/gc.ts')).runGcHistory),
});
