import { buildCommand } from '@stricli/core';
import type { TokenFlags } from '../../caches/token.ts';
import { parseValidity } from '../../caches/validity.ts';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import { dataFlag } from '../flags.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';

export const token = buildCommand<TokenFlags, [], CliContext>({
  docs: {
    brief: 'Mint a token for somebody, or for a machine',
    fullDescription: describe(
      `
Signs a token with the key of the data directory and prints it, and nothing else, on stdout. No
server is asked; it takes effect at once. PATTERN is the name of a cache, with * for any characters.

For one cache, an exact name in the token decides alone; else the first pattern that matches.`,
      [
        ['./flywheel cache token --sub ci --validity 30d --pull team --push team', 'for CI'],
        [
          "./flywheel cache token --sub ada --validity '3 months' --pull 'team-*'",
          'to read some caches',
        ],
        [
          "./flywheel cache token --sub ci --validity 1d --pull '*' --dump-claims",
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
      dumpClaims: {
        kind: 'boolean',
        brief: 'Print what the token would say instead of the token',
        withNegated: false,
        optional: true,
      },
      data: dataFlag,
      verbose: outputFlags.verbose,
    },
  },
  loader: lazily(async () => (await import('../../caches/token.ts')).runCacheToken),
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
