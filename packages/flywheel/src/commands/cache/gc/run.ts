import { buildCommand } from '@stricli/core';
import type { GcFlags } from '../../../caches/gc.ts';
import type { CliContext } from '../../../context.ts';
import { outputFlags } from '../../../output/index.ts';
import { serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';

export const run = buildCommand<GcFlags, [], CliContext>({
  docs: {
    brief: 'Remove now what caches do not keep any more, or see what would go',
    fullDescription: describe(
      `
Asks the server for a run of retention, which it does by itself every hour: paths that have expired
go, then what nothing refers to any more, then packs that are mostly dead are rewritten. Pulls and
pushes go on meanwhile. Needs a token with --delete for the cache, or for "*" without --cache.`,
      [
        ['./flywheel cache gc --dry-run', 'what would go, and how much of it'],
        ['./flywheel cache gc --wait', 'remove it, and show how far it is'],
        ['./flywheel cache gc --cache team', 'only what expired in this cache'],
      ],
    ),
  },
  parameters: {
    flags: {
      dryRun: {
        kind: 'boolean',
        brief: 'Remove nothing; say what would go',
        withNegated: false,
        optional: true,
      },
      cache: {
        kind: 'parsed',
        parse: String,
        placeholder: 'CACHE',
        brief: 'Only this cache [default = all]',
        optional: true,
      },
      wait: {
        kind: 'boolean',
        brief: 'Wait until it is done',
        withNegated: false,
        optional: true,
      },
      ...serverFlags,
      ...outputFlags,
    },
  },
  loader: lazily(async () => (await import('../../../caches/gc.ts')).runCacheGc),
});
