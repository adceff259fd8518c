import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { outputFlags } from '../output/index.ts';
import type { PushFlags } from '../transfer/push.ts';
import { parseCount, serverFlags } from './flags.ts';
import { describe } from './help.ts';
import { lazily } from './lazily.ts';

export const push = buildCommand<PushFlags, readonly string[], CliContext>({
  docs: {
    brief: 'Push paths of the local Nix store to a cache',
    customUsage: ['CACHE PATH...', '--stdin CACHE'],
    fullDescription: describe(
      `
Pushes store paths with everything they refer to. PATH is a store path or a link to one. What the
cache has already, and what its upstream caches have signed, is not pushed. One path that fails does
not stop the others; then the command ends with 1.`,
      [
        ['./flywheel push team ./result', 'what nix-build has just made'],
        [
          'nix-store -qR /run/current-system | ./flywheel push team --stdin',
          'what another program lists',
        ],
        ['./flywheel push team ./result --server https://cache.example.org/', 'to another server'],
      ],
    ),
  },
  parameters: {
    flags: {
      stdin: {
        kind: 'boolean',
        brief: 'Read more paths from stdin, one a line',
        withNegated: false,
        optional: true,
      },
      jobs: {
        kind: 'parsed',
        parse: parseCount(1, 64),
        placeholder: 'N',
        brief: 'How many paths to push at once',
        default: '4',
      },
      closure: {
        kind: 'boolean',
        brief: 'Push what the paths refer to as well',
        default: true,
      },
      storeRoot: {
        kind: 'parsed',
        parse: String,
        placeholder: 'DIR',
        brief: 'Folder below which the Nix store lies',
        default: '/',
      },
      ...serverFlags,
      ...outputFlags,
    },
    positional: {
      kind: 'array',
      parameter: { parse: String, placeholder: 'CACHE PATH', brief: 'The cache, then store paths' },
      minimum: 1,
    },
  },
  loader: lazily(async () => (await import('../transfer/push.ts')).runPush),
});
