import { buildCommand } from '@stricli/core';
import type { PathDeleteFlags } from '../../../caches/path-delete.ts';
import type { CliContext } from '../../../context.ts';
import { outputFlags } from '../../../output/index.ts';
import { serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';

export const remove = buildCommand<PathDeleteFlags, [string, ...(readonly string[])], CliContext>({
  docs: {
    brief: 'Take store paths out of a cache',
    customUsage: ['CACHE PATH...', '--force CACHE PATH...'],
    fullDescription: describe(
      `
Takes store paths out of a cache. Their bytes are freed within an hour, when no other path and no other
cache needs them. A path that others in the cache refer to stays, unless it is forced: who pulls one of
those then lacks a part. Nix remembers for up to 30 days on each machine that a path was there. Needs a
token with --delete for the cache.`,
      [
        ['./flywheel cache path delete team /nix/store/q80xb0kd…-secrets', 'one path'],
        ['./flywheel cache path delete team --force q80xb0kd…', 'whatever refers to it'],
      ],
    ),
  },
  parameters: {
    flags: {
      force: {
        kind: 'boolean',
        brief: 'Also what other paths of the cache refer to',
        withNegated: false,
        optional: true,
      },
      ...serverFlags,
      ...outputFlags,
    },
    positional: {
      kind: 'array',
      parameter: {
        parse: String,
        placeholder: 'CACHE PATH',
        brief: 'Name of the cache, then store paths or their hashes',
      },
      minimum: 2,
    },
  },
  loader: lazily(async () => (await import('../../../caches/path-delete.ts')).runPathDelete),
});
