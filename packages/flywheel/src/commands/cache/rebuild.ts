import { buildCommand } from '@stricli/core';
import type { RebuildFlags } from '../../caches/rebuild.ts';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import { databaseFileFlag, dataFlag, tokenKeysFlag } from '../flags.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { s3Flags } from '../s3-flags.ts';

export const rebuild = buildCommand<RebuildFlags, [], CliContext>({
  docs: {
    brief: 'Make a lost database anew from what is stored',
    fullDescription: describe(
      `
Reads the index of every pack, and the newest snapshot that the server has written beside them, and
makes the database from these: caches with their keys, paths, pins. No server may run on it meanwhile.
What was pushed since the snapshot comes back too, except what \`nix copy\` has pushed; revoked tokens
and the audit log do not. Nothing is removed from where packs lie. Check it afterwards with
\`cache verify --deep\`.`,
      [
        ['./flywheel cache rebuild --data /srv/flywheel', 'SQLite and a folder'],
        [
          './flywheel cache rebuild --database-file db-url --s3-bucket nix-cache',
          'PostgreSQL and a bucket; credentials as for `cache serve`',
        ],
        ['./flywheel cache rebuild --into-existing', 'again, after it was interrupted'],
      ],
    ),
  },
  parameters: {
    flags: {
      data: dataFlag,
      databaseFile: databaseFileFlag,
      ...s3Flags,
      tokenKeys: tokenKeysFlag,
      intoExisting: {
        kind: 'boolean',
        brief: 'Add to a database that is not empty; what is in it stays as it is',
        withNegated: false,
        optional: true,
      },
      ...outputFlags,
    },
  },
  loader: lazily(async () => (await import('../../caches/rebuild.ts')).runCacheRebuild),
});
