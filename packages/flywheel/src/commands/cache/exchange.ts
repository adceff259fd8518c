import { buildCommand } from '@stricli/core';
import type { ExchangeFlags } from '../../caches/exchange.ts';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import { serverFlags } from '../flags.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';

export const exchange = buildCommand<ExchangeFlags, [], CliContext>({
  docs: {
    brief: 'Turn the ID token of a GitLab job into a token of the cache',
    fullDescription: describe(
      `
Sends the ID token of a CI job to the server, which answers with a token as its policy says. Prints
the token, and nothing else, on stdout; or with --netrc writes it where Nix finds it (mode 0600).
The other hosts in that file stay.`,
      [
        ['./flywheel cache exchange --id-token-env CACHE_ID_TOKEN', 'print it'],
        [
          './flywheel cache exchange --id-token-env CACHE_ID_TOKEN --netrc ~/.config/nix/netrc',
          'for Nix',
        ],
      ],
    ),
  },
  parameters: {
    flags: {
      idTokenEnv: {
        kind: 'parsed',
        parse: String,
        placeholder: 'NAME',
        brief: 'The environment variable that id_tokens: of the job names',
        default: 'FLYWHEEL_ID_TOKEN',
      },
      netrc: {
        kind: 'parsed',
        parse: String,
        placeholder: 'FILE',
        brief: 'Write the token into this netrc instead of printing it',
        optional: true,
      },
      server: serverFlags.server,
      data: serverFlags.data,
      ...outputFlags,
    },
  },
  loader: lazily(async () => (await import('../../caches/exchange.ts')).runExchange),
});
