import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import type { ShowFlags } from '../../organization/show.ts';
import { outputFlags } from '../../output/index.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { environmentFlag, fileFlags } from './flags.ts';

export const explain = buildCommand<ShowFlags, [string], CliContext>({
  docs: {
    brief: 'Say what a key is for, what it is set to, and who says so',
    fullDescription: describe(
      `
Shows the description, the type, the value and the default of a key, and the file, line and column
that set it, with what the layers below had said. For a section, its keys.`,
      [
        ['./flywheel config explain cache.replicas.min', 'one value'],
        ['./flywheel config explain cache.replicas', 'a section with its keys'],
        [
          './flywheel config explain runners.docker.scaling.max --environment staging',
          'as it is in an environment',
        ],
        ["./flywheel config explain 'dashboard.access[acme]'", 'an item of a list'],
      ],
    ),
  },
  parameters: {
    flags: { environment: environmentFlag, ...fileFlags, ...outputFlags },
    positional: {
      kind: 'tuple',
      parameters: [{ parse: String, placeholder: 'KEY', brief: 'Key with all keys above it' }],
    },
  },
  loader: lazily(async () => (await import('../../organization/explain.ts')).runConfigExplain),
});
