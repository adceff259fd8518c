import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../../context.ts';
import type { DeployFlags } from '../../../deploy/deployment.ts';
import { outputFlags } from '../../../output/index.ts';
import type { OutputFlags } from '../../../output/index.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';
import { deployFlags, stackName } from '../flags.ts';

export const list = buildCommand<OutputFlags & DeployFlags, [string], CliContext>({
  docs: {
    brief: 'List the objects in the state of a stack',
    fullDescription: describe('Lists the objects in the state of a stack, each with its address.', [
      ['./flywheel state list attic', 'all objects'],
    ]),
  },
  parameters: {
    flags: { ...deployFlags, ...outputFlags },
    positional: { kind: 'tuple', parameters: [stackName] },
  },
  loader: lazily(async () => (await import('../../../deploy/state.ts')).runStateList),
});
