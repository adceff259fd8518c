import { buildCommand } from '@stricli/core';
import type { ServerFlags } from '../../../caches/find-server.ts';
import type { CliContext } from '../../../context.ts';
import { outputFlags, type OutputFlags } from '../../../output/index.ts';
import { serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';
import { cacheName } from '../name.ts';

export const list = buildCommand<OutputFlags & ServerFlags, [string], CliContext>({
  docs: {
    brief: 'List the pins of a cache with their revisions',
    fullDescription: describe('Lists pins with the revisions that they keep, the newest first.', [
      ['./flywheel cache pin list team', 'who keeps what'],
      ['./flywheel cache pin list team --json', 'for a deployment that wants the newest path'],
    ]),
  },
  parameters: {
    flags: { ...serverFlags, ...outputFlags },
    positional: { kind: 'tuple', parameters: [cacheName] },
  },
  loader: lazily(async () => (await import('../../../caches/pins.ts')).runPinList),
});
