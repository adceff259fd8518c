import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import type { PlanFlags } from '../../deploy/plan.ts';
import { outputFlags } from '../../output/index.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { allFlag, deployFlags, stackName } from './flags.ts';

export const plan = buildCommand<PlanFlags, [string?], CliContext>({
  docs: {
    brief: 'Show what applying a stack would change, and save just that',
    fullDescription: describe(
      `
Compares a stack of tofu/stacks, fed from organization.yaml, with its state and the cluster, and shows
what would change, object by object, without secrets. The plan is saved with a digest over all that
it was made of; apply takes it as it is or refuses. Nothing is changed.

The state is in GitLab's deploy project: TF_HTTP_PASSWORD has to hold an access token. The cluster is
the context of the environment in the kubeconfig.`,
      [
        ['./flywheel plan attic', 'one stack, in the only environment'],
        ['./flywheel plan --all --environment production', 'all of them'],
        ['./flywheel plan --all --report .artifacts/plan', 'with files for a merge request'],
        ['./flywheel plan --all --check', 'look for drift: end with 1 when something would change'],
        ['./flywheel plan attic --backend local', 'try it without GitLab'],
      ],
    ),
  },
  parameters: {
    flags: {
      all: allFlag,
      ...deployFlags,
      destroy: {
        kind: 'boolean',
        brief: 'Plan to destroy it all',
        withNegated: false,
        optional: true,
      },
      check: {
        kind: 'boolean',
        brief: 'Only look: end with 1 when something would change, keep no plan, wait for no lock',
        withNegated: false,
        optional: true,
      },
      report: {
        kind: 'parsed',
        parse: String,
        placeholder: 'DIR',
        brief: 'Write plan.md, plan.json, junit.xml and gitlab.json there',
        optional: true,
      },
      ...outputFlags,
    },
    positional: { kind: 'tuple', parameters: [{ ...stackName, optional: true }] },
  },
  loader: lazily(async () => (await import('../../deploy/plan.ts')).runPlan),
});
