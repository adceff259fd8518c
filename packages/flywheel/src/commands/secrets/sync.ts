import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import type { SyncFlags } from '../../secrets/sync.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { environmentFlags, timeoutFlag } from './flags.ts';

export const sync = buildCommand<SyncFlags, [], CliContext>({
  docs: {
    brief: 'Make the Secrets that are missing, and write those that were given',
    fullDescription: describe(
      `
Writes the Secrets that the stacks of an environment read, into the context that organization.yaml
names and no other. What nobody gives is generated: keys of tokens, the owner of the database, users of
MinIO. Values come from the environment (FLYWHEEL_SECRET_…, or the same with _FILE), or from files
DIR/SECRET/ENTRY. A Secret that flywheel has not written is never changed. Ends with 1 when something
is missing. A second run writes nothing. No value is ever shown.`,
      [
        ['./flywheel secrets sync --dry-run', 'what would be written, by name'],
        ['./flywheel secrets sync', 'write it'],
        ['./flywheel secrets sync --from secrets', 'with files of that folder'],
        ['./flywheel secrets sync --restart', 'and replace pods that read what has changed'],
      ],
    ),
  },
  parameters: {
    flags: {
      ...environmentFlags,
      dryRun: { kind: 'boolean', brief: 'Write nothing, say what would be', optional: true },
      from: {
        kind: 'parsed',
        parse: String,
        placeholder: 'DIR',
        brief: 'Folder with a folder for each Secret, and in it a file for each entry',
        optional: true,
      },
      restart: {
        kind: 'boolean',
        brief: 'Replace the pods that have read what has changed',
        optional: true,
      },
      timeout: timeoutFlag,
      ...outputFlags,
    },
  },
  loader: lazily(async () => (await import('../../secrets/sync.ts')).runSecretsSync),
});
