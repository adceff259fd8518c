import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import type { FileFlags } from '../../organization/read-organization.ts';
import { outputFlags } from '../../output/index.ts';
import type { OutputFlags } from '../../output/index.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { fileFlags } from './flags.ts';

export const diff = buildCommand<OutputFlags & FileFlags, [string, string], CliContext>({
  docs: {
    brief: 'Compare two environments or two files, key by key',
    fullDescription: describe(
      `
Compares what two environments or two files mean: layers are merged and defaults filled in first,
and order and comments do not count. A word that ends in .yaml or has a slash is a file, any other an
environment. Lines begin with + (only in the second), - (only in the first) or ~ (another value), and
end with the place that says so.`,
      [
        ['./flywheel config diff staging production', 'two environments'],
        ['./flywheel config diff old.yaml config/organization.yaml', 'two files'],
      ],
    ),
  },
  parameters: {
    flags: { ...fileFlags, ...outputFlags },
    positional: {
      kind: 'tuple',
      parameters: [
        { parse: String, placeholder: 'A', brief: 'Environment or file' },
        { parse: String, placeholder: 'B', brief: 'Environment or file to compare it with' },
      ],
    },
  },
  loader: lazily(async () => (await import('../../organization/diff.ts')).runConfigDiff),
});
