import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import type { DeployFlags } from '../../deploy/deployment.ts';
import { outputFlags } from '../../output/index.ts';
import type { OutputFlags } from '../../output/index.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { deployFlags, stackName } from './flags.ts';

export const output = buildCommand<OutputFlags & DeployFlags, [string, string?], CliContext>({
  docs: {
    brief: 'Print the outputs of a stack, such as the URL of the cache',
    fullDescription: describe(
      `
Prints what a stack tells others, as the last apply has left it. Sensitive outputs are named and not
shown.`,
      [
        ['./flywheel output attic', 'all of them'],
        ['./flywheel output attic url', 'only the value'],
      ],
    ),
  },
  parameters: {
    flags: { ...deployFlags, ...outputFlags },
    positional: {
      kind: 'tuple',
      parameters: [
        stackName,
        { parse: String, placeholder: 'NAME', brief: 'Only this output', optional: true },
      ],
    },
  },
  loader: lazily(async () => (await import('../../deploy/output.ts')).runOutput),
});
