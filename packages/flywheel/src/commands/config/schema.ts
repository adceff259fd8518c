import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import type { OutputFlags } from '../../output/index.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';

export const schema = buildCommand<OutputFlags, [], CliContext>({
  docs: {
    brief: 'Print the JSON Schema of organization.yaml',
    fullDescription: describe(
      `
Prints the JSON Schema that editors complete and check organization.yaml with, always as JSON.
flywheel's own copy is config/organization.schema.json.`,
      [
        [
          './flywheel config schema > organization.schema.json',
          'beside an organization.yaml elsewhere',
        ],
      ],
    ),
  },
  parameters: { flags: outputFlags },
  loader: lazily(async () => (await import('../../organization/schema.ts')).runConfigSchema),
});
