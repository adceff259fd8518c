import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import type { DestroyFlags } from '../../deploy/destroy.ts';
import { outputFlags } from '../../output/index.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { allFlag, allowDestroyFlag, deployFlags, stackName } from './flags.ts';

export const destroy = buildCommand<DestroyFlags, [string?], CliContext>({
  docs: {
    brief: 'Destroy what a stack has made',
    fullDescription: describe(
      `
Shows what a stack has made and would destroy, and, with --yes, destroys it. What holds data has to
be named, each with --allow-destroy. Namespaces and definitions of resources that the modules keep
stay in the cluster.`,
      [
        ['./flywheel destroy attic --environment staging', 'only show it'],
        [
          './flywheel destroy attic --environment staging --yes',
          'do it, unless data would be lost',
        ],
      ],
    ),
  },
  parameters: {
    flags: {
      all: allFlag,
      ...deployFlags,
      allowDestroy: allowDestroyFlag,
      yes: {
        kind: 'boolean',
        brief: 'Do it; without, it is only shown',
        withNegated: false,
        optional: true,
      },
      ...outputFlags,
    },
    positional: { kind: 'tuple', parameters: [{ ...stackName, optional: true }] },
  },
  loader: lazily(async () => (await import('../../deploy/destroy.ts')).runDestroy),
});
