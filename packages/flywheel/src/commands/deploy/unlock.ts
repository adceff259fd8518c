import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import type { DeployFlags } from '../../deploy/deployment.ts';
import { outputFlags } from '../../output/index.ts';
import type { OutputFlags } from '../../output/index.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { deployFlags, stackName } from './flags.ts';

export const unlock = buildCommand<OutputFlags & DeployFlags, [string, string?], CliContext>({
  docs: {
    brief: 'Show who holds the lock of a state, or take it away from a run that is gone',
    fullDescription: describe(
      `
Without an id, shows who holds the lock of a stack's state, since when and for what. With the id of
that lock, removes it. A run that is still at work would then write over whoever comes next: be sure
that it is gone.`,
      [
        ['./flywheel unlock attic', 'who holds it'],
        ['./flywheel unlock attic 3f1b7c5e-9d0a-4a58-8f6e-0d2b6f6f1c11', 'take it away'],
      ],
    ),
  },
  parameters: {
    flags: { ...deployFlags, ...outputFlags },
    positional: {
      kind: 'tuple',
      parameters: [
        stackName,
        { parse: String, placeholder: 'ID', brief: 'Id of the lock', optional: true },
      ],
    },
  },
  loader: lazily(async () => (await import('../../deploy/unlock.ts')).runUnlock),
});
