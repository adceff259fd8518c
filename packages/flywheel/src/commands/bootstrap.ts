import { buildCommand } from '@stricli/core';
import type { BootstrapFlags } from '../bootstrap/run.ts';
import type { CliContext } from '../context.ts';
import { outputFlags } from '../output/index.ts';
import { deployFlags } from './deploy/flags.ts';
import { describe } from './help.ts';
import { lazily } from './lazily.ts';

export const bootstrap = buildCommand<BootstrapFlags, [], CliContext>({
  docs: {
    brief: 'Deploy for the first time from this machine, step by step',
    fullDescription: describe(
      `
Checks the cluster, writes the Secrets, then plans and applies one stack after the other. Each call goes
as far as it can: it stops at what fails or is missing, and at each plan, which you read and apply. What
is done is seen in the cluster and the states, so it may be interrupted at any time. With --yes, plans
are applied without being read.`,
      [
        ['./flywheel bootstrap', 'up to the next plan that wants to be read'],
        ['./flywheel bootstrap --yes', 'all the way'],
        ['./flywheel bootstrap --backend local --yes', 'to try it out, without GitLab'],
      ],
    ),
  },
  parameters: {
    flags: {
      yes: {
        kind: 'boolean',
        brief: 'Apply each plan at once',
        withNegated: false,
        optional: true,
      },
      ...deployFlags,
      ...outputFlags,
    },
  },
  loader: lazily(async () => (await import('../bootstrap/run.ts')).runBootstrap),
});
