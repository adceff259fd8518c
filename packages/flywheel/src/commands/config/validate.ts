import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import type { FileFlags } from '../../organization/read-organization.ts';
import { outputFlags } from '../../output/index.ts';
import type { OutputFlags } from '../../output/index.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { fileFlags } from './flags.ts';

export const validate = buildCommand<OutputFlags & FileFlags, [], CliContext>({
  docs: {
    brief: 'Check organization.yaml, in every environment',
    fullDescription: describe(
      `
Merges the layers of the organization for each of its environments and checks the result: unknown
keys, wrong values, keys that contradict each other, values that look like secrets. Shows all
mistakes, each with its line, and ends with 1 when there are any.`,
      [
        ['./flywheel config validate', 'config/organization.yaml'],
        ['./flywheel config validate --file other.yaml', 'another file'],
        ['./flywheel config validate --json', 'for scripts and editors'],
      ],
    ),
  },
  parameters: { flags: { ...fileFlags, ...outputFlags } },
  loader: lazily(async () => (await import('../../organization/validate.ts')).runConfigValidate),
});
