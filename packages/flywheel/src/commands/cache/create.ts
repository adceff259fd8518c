import { buildCommand } from '@stricli/core';
import type { CreateFlags } from '../../caches/create.ts';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import { parseCount, serverFlags } from '../flags.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';
import { cacheName } from './name.ts';

const LARGEST = 2 ** 31 - 1;

export const create = buildCommand<CreateFlags, [string], CliContext>({
  docs: {
    brief: 'Make a cache',
    fullDescription: describe(
      `
Makes a cache with a signing key of its own. Needs a token with --create-cache for that name; on the
machine of the server, the administrator's token is found by itself.`,
      [
        ['./flywheel cache create team', 'a private cache'],
        ['./flywheel cache create team --public', 'one that everybody may pull from'],
        [
          './flywheel cache create team --priority 30',
          'one that Nix asks before cache.nixos.org (40)',
        ],
      ],
    ),
  },
  parameters: {
    flags: {
      public: { kind: 'boolean', brief: 'Everybody may pull, without a token', optional: true },
      priority: {
        kind: 'parsed',
        parse: parseCount(-LARGEST, LARGEST),
        placeholder: 'N',
        brief: 'Nix asks caches with a smaller one first',
        default: '41',
      },
      upstreamKey: {
        kind: 'parsed',
        parse: String,
        placeholder: 'NAME',
        brief:
          'Paths that this key has signed are not pushed; may be given several times [default = cache.nixos.org-1]',
        variadic: true,
        optional: true,
      },
      ...serverFlags,
      ...outputFlags,
    },
    positional: { kind: 'tuple', parameters: [cacheName] },
  },
  loader: lazily(async () => (await import('../../caches/create.ts')).runCacheCreate),
});
