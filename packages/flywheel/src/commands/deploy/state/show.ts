import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../../context.ts';
import type { DeployFlags } from '../../../deploy/deployment.ts';
import { outputFlags } from '../../../output/index.ts';
import type { OutputFlags } from '../../../output/index.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';
import { deployFlags, stackName } from '../flags.ts';

export const show = buildCommand<OutputFlags & DeployFlags, [string, string], CliContext>({
  docs: {
    brief: 'Show one object as the state has it',
    fullDescription: describe('Shows the fields of one object in the state, without secrets.', [
      ['./flywheel state show attic Service/flywheel-cache/attic', 'by its name'],
      ["./flywheel state show attic 'module.cache[0].kubectl_manifest.service'", 'by its address'],
    ]),
  },
  parameters: {
    flags: { ...deployFlags, ...outputFlags },
    positional: {
      kind: 'tuple',
      parameters: [
        stackName,
        { parse: String, placeholder: 'OBJECT', brief: 'Object, as `state list` names it' },
      ],
    },
  },
  loader: lazily(async () => (await import('../../../deploy/state.ts')).runStateShow),
});
