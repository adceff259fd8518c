import { buildCommand } from '@stricli/core';
import type { ServerFlags } from '../../../caches/find-server.ts';
import type { CliContext } from '../../../context.ts';
import { outputFlags, type OutputFlags } from '../../../output/index.ts';
import { serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';
import { cacheName } from '../name.ts';
import { pinName } from './name.ts';

export const remove = buildCommand<OutputFlags & ServerFlags, [string, string], CliContext>({
  docs: {
    brief: 'Remove a pin with all its revisions',
    fullDescription: describe(
      `
Removes a pin. The paths stay until retention finds that nothing else keeps them. Needs a token with
--delete.`,
      [['./flywheel cache pin remove team mr-12', 'when the merge request is merged']],
    ),
  },
  parameters: {
    flags: { ...serverFlags, ...outputFlags },
    positional: { kind: 'tuple', parameters: [cacheName, pinName] },
  },
  loader: lazily(async () => (await import('../../../caches/pins.ts')).runPinRemove),
});
