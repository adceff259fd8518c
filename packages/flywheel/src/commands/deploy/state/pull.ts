import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../../context.ts';
import type { DeployFlags } from '../../../deploy/deployment.ts';
import { outputFlags } from '../../../output/index.ts';
import type { OutputFlags } from '../../../output/index.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';
import { deployFlags, stackName } from '../flags.ts';

type PullFlags = OutputFlags & DeployFlags & { readonly out: string };

export const pull = buildCommand<PullFlags, [string], CliContext>({
  docs: {
    brief: 'Write the whole state of a stack into a file',
    fullDescription: describe(
      `
Writes the state, decrypted, into a new file with mode 0600. It is never printed: a state may hold
secrets, and a terminal or the log of a job keeps what it has shown.`,
      [['./flywheel state pull attic --out attic.tfstate', 'before a repair by hand']],
    ),
  },
  parameters: {
    flags: {
      out: { kind: 'parsed', parse: String, placeholder: 'FILE', brief: 'File to write' },
      ...deployFlags,
      ...outputFlags,
    },
    positional: { kind: 'tuple', parameters: [stackName] },
  },
  loader: lazily(async () => (await import('../../../deploy/state.ts')).runStatePull),
});
