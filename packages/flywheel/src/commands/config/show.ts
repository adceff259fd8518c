import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import type { ShowFlags } from '../../organization/show.ts';
import { outputFlags } from '../../output/index.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { environmentFlag, fileFlags } from './flags.ts';

export const show = buildCommand<ShowFlags, [], CliContext>({
  docs: {
    brief: 'Print the organization with all layers merged and all defaults filled in',
    fullDescription: describe(
      `
Prints what all layers say together, with every default, as YAML or JSON: what OpenTofu and scripts
read. With --environment, the overrides of that environment are merged, and it is the only one in
"environments". The output is itself a valid organization.yaml.`,
      [
        ['./flywheel config show', 'without the overrides of environments'],
        ['./flywheel config show --environment production', 'as it is in production'],
        ['./flywheel config show --environment production --json', 'for jsondecode()'],
      ],
    ),
  },
  parameters: { flags: { environment: environmentFlag, ...fileFlags, ...outputFlags } },
  loader: lazily(async () => (await import('../../organization/show.ts')).runConfigShow),
});
