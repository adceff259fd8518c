import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import type { ApplyFlags } from '../../deploy/apply.ts';
import { outputFlags } from '../../output/index.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { allFlag, allowDestroyFlag, deployFlags, stackName } from './flags.ts';

export const apply = buildCommand<ApplyFlags, [string?], CliContext>({
  docs: {
    brief: 'Apply the saved plan of a stack, and no other',
    fullDescription: describe(
      `
Applies what \`flywheel plan\` has saved. When the configuration, the modules, the providers or the
state have changed since, it refuses and says what has. What holds data (a namespace, a volume or its
claim, a database cluster, a bucket, a definition of resources) is only destroyed when it is named.`,
      [
        ['./flywheel apply attic', 'the plan of one stack'],
        ['./flywheel apply --all --environment production', 'all plans, one after the other'],
        ['./flywheel apply attic --allow-destroy Cluster/flywheel-cache/attic-db', 'with its data'],
        ['./flywheel apply --all --accept-state', 'the first deployment by a pipeline'],
      ],
    ),
  },
  parameters: {
    flags: { all: allFlag, ...deployFlags, allowDestroy: allowDestroyFlag, ...outputFlags },
    positional: { kind: 'tuple', parameters: [{ ...stackName, optional: true }] },
  },
  loader: lazily(async () => (await import('../../deploy/apply.ts')).runApply),
});
