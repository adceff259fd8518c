import { buildCommand } from '@stricli/core';
import type { ImportAtticFlags } from '../../caches/import-attic.ts';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import { databaseFileFlag, dataFlag, parseCount, tokenKeysFlag } from '../flags.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { s3Flags } from '../s3-flags.ts';

const FROM = '--attic-database server.db --attic-storage storage';

export const importAttic = buildCommand<ImportAtticFlags, [], CliContext>({
  docs: {
    brief: 'Take over the caches of an Attic server, whose chunks stay where they are',
    fullDescription: describe(
      `
Reads the database of atticd and makes its caches, with their keys, and their paths known here. Chunks
that atticd has compressed with zstd, which is its default, are served from where they lie; NARs of any
other compression are stored anew. What is damaged is left out and listed, so that a push brings it.

Nothing of atticd's is changed, and nothing of it is removed before --finish: until then the way back is
to start atticd again. May be run again at any time, after an interruption or for what was pushed to
atticd since. With SQLite, no server of ours may run on the database meanwhile. Stop atticd, or its
garbage collection at least, before anybody uses what was taken over.`,
      [
        [
          `./flywheel cache import-attic ${FROM} --dry-run`,
          'what would come, and what is damaged; both lie in /var/lib/atticd',
        ],
        [
          `./flywheel cache import-attic ${FROM} --verify`,
          'take it over, then read all of it and compare hashes',
        ],
        [
          './flywheel cache import-attic --attic-database attic-url --attic-storage s3://attic',
          'PostgreSQL, whose URL is in the file attic-url, and a bucket',
        ],
        [
          `./flywheel cache import-attic ${FROM} --finish`,
          'the last time: its chunks are ours, and go when no path needs them',
        ],
      ],
    ),
  },
  parameters: {
    flags: {
      atticDatabase: {
        kind: 'parsed',
        parse: String,
        placeholder: 'FILE',
        brief: 'SQLite file of atticd, or a file with the URL of its PostgreSQL database',
      },
      atticStorage: {
        kind: 'parsed',
        parse: String,
        placeholder: 'DIR|s3://BUCKET',
        brief: 'Where its chunks lie: the path or bucket of [storage] in its server.toml',
      },
      atticEndpoint: {
        kind: 'parsed',
        parse: String,
        placeholder: 'URL',
        brief: 'S3 server of its bucket [default = that of --s3-endpoint, else AWS]',
        optional: true,
      },
      atticTokenFile: {
        kind: 'parsed',
        parse: String,
        placeholder: 'FILE',
        brief:
          'File with token-hs256-secret-base64 or token-rs256-…-base64 of its configuration: its tokens stay good',
        optional: true,
      },
      dryRun: {
        kind: 'boolean',
        brief: 'Say what would be done, and write nothing',
        withNegated: false,
        optional: true,
      },
      verify: {
        kind: 'parsed',
        parse: parseVerify,
        placeholder: 'N',
        brief: 'Afterwards read N NARs at random, or all, and compare their hashes',
        inferEmpty: true,
        optional: true,
      },
      finish: {
        kind: 'boolean',
        brief: 'From now on remove chunks of atticd that no path needs: there is no way back',
        withNegated: false,
        optional: true,
      },
      data: dataFlag,
      databaseFile: databaseFileFlag,
      ...s3Flags,
      tokenKeys: tokenKeysFlag,
      ...outputFlags,
    },
  },
  loader: lazily(async () => (await import('../../caches/import-attic.ts')).runCacheImportAttic),
});

const parseNumber = parseCount(1, 1_000_000_000);

function parseVerify(text: string): number | 'all' {
  return text === '' || text === 'all' ? 'all' : parseNumber(text);
}
