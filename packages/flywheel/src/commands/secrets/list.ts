import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import type { EnvironmentFlags } from '../../organization/one-environment.ts';
import { outputFlags } from '../../output/index.ts';
import type { OutputFlags } from '../../output/index.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { environmentFlags } from './flags.ts';

export const list = buildCommand<OutputFlags & EnvironmentFlags, [], CliContext>({
  docs: {
    brief: 'Show which Secrets an environment needs, and which are there',
    fullDescription: describe(
      `
Shows each Secret that the stacks of this environment read: whether it is there and complete, and who
keeps it. Values are read to compare them, and never shown.`,
      [
        ['./flywheel secrets list', 'of the only environment'],
        ['./flywheel secrets list --environment staging --json', 'for scripts, with all entries'],
      ],
    ),
  },
  parameters: { flags: { ...environmentFlags, ...outputFlags } },
  loader: lazily(async () => (await import('../../secrets/list.ts')).runSecretsList),
});
