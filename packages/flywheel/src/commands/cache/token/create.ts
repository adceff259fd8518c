import { buildCommand } from '@stricli/core';
import { parseBytes } from '@flywheel/base';
import type { TokenCreateFlags } from '../../../caches/token-create.ts';
import { parseValidity } from '../../../caches/validity.ts';
import type { CliContext } from '../../../context.ts';
import { outputFlags } from '../../../output/index.ts';
import { parseCount, serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';

export const create = buildCommand<TokenCreateFlags, [], CliContext>({
  docs: {
    brief: 'Make a token for somebody, or for a machine',
    fullDescription: describe(
      `
Has the server make a token and prints it, and nothing else, on stdout. A token can give away no more
than the one that it is made with. Where no server is named and none runs, and with --offline, it is
signed with the key of the data directory; then it is in no list, but works, and can be revoked.

PATTERN is the name of a cache, with * for any characters.

For one cache, an exact name in the token decides alone; else the first pattern that matches.`,
      [
        ['./flywheel cache token create --sub ci --validity 30d --pull team --push team', 'for CI'],
        [
          "./flywheel cache token create --sub ada --validity '3 months' --pull 'team-*'",
          'to read some caches',
        ],
        [
          "./flywheel cache token create --sub ci --validity 1d --pull '*' --dump-claims",
          'look at it, do not sign',
        ],
      ],
    ),
  },
  parameters: {
    flags: {
      sub: {
        kind: 'parsed',
        parse: String,
        placeholder: 'NAME',
        brief: 'Who the token is for; shows in the logs',
      },
      validity: {
        kind: 'parsed',
        parse: parseValidity,
        placeholder: 'TIME',
        brief: 'How long it is valid: 12h, 30d, "3 months", 2y',
      },
      pull: granting('Pull from these caches'),
      push: granting('Push to these caches'),
      delete: granting('Delete paths from these caches'),
      createCache: granting('Make caches of these names'),
      configureCache: granting('Configure these caches'),
      configureCacheRetention: granting('Set how long these caches keep paths'),
      destroyCache: granting('Destroy these caches'),
      mayMint: {
        kind: 'boolean',
        brief: 'It may make tokens that may less',
        withNegated: false,
        optional: true,
      },
      requestsPerSecond: {
        kind: 'parsed',
        parse: parseCount(1, 1_000_000),
        placeholder: 'N',
        brief: 'How often it may ask [default = as the server says]',
        optional: true,
      },
      uploadPerSecond: {
        kind: 'parsed',
        parse: parseBytes,
        placeholder: 'SIZE',
        brief: 'How much it may upload a second, such as 20MiB [default = as the server says]',
        optional: true,
      },
      offline: {
        kind: 'boolean',
        brief: 'Sign with the key of the data directory, ask no server',
        withNegated: false,
        optional: true,
      },
      dumpClaims: {
        kind: 'boolean',
        brief: 'Print what the token would say instead of the token',
        withNegated: false,
        optional: true,
      },
      ...serverFlags,
      ...outputFlags,
    },
  },
  loader: lazily(async () => (await import('../../../caches/token-create.ts')).runTokenCreate),
});

function granting(brief: string) {
  return {
    kind: 'parsed',
    parse: String,
    placeholder: 'PATTERN',
    brief: `${brief}; may be given several times`,
    variadic: true,
    optional: true,
  } as const;
}
