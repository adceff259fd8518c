import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import type { MigrateFlags } from '../../organization/migrate.ts';
import { outputFlags } from '../../output/index.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { fileFlags } from './flags.ts';

export const migrate = buildCommand<MigrateFlags, [], CliContext>({
  docs: {
    brief: 'Bring organization.yaml to the current version of its schema',
    fullDescription: describe(
      `
Changes the file in place, step by step from its apiVersion to the current one; comments and order
stay. flywheel/v1 is the first version, so there is nothing to come from yet, and the command says
that the file is current.`,
      [
        ['./flywheel config migrate', 'change config/organization.yaml'],
        ['./flywheel config migrate --check', 'end with 1 when there is something to change'],
      ],
    ),
  },
  parameters: {
    flags: {
      check: {
        kind: 'boolean',
        brief: 'Change nothing; end with 1 when there is something to change',
        withNegated: false,
        optional: true,
      },
      file: fileFlags.file,
      ...outputFlags,
    },
  },
  loader: lazily(async () => (await import('../../organization/migrate.ts')).runConfigMigrate),
});
