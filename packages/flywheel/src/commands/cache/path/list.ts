import { buildCommand } from '@stricli/core';
import type { PathListFlags } from '../../../caches/path-list.ts';
import type { CliContext } from '../../../context.ts';
import { outputFlags } from '../../../output/index.ts';
import { parseCount, serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';
import { cacheName } from '../name.ts';

export const list = buildCommand<PathListFlags, [string, string?], CliContext>({
  docs: {
    brief: 'List what a cache holds',
    fullDescription: describe(
      `
Lists the store paths of a cache: all, or those whose name has a text in it or whose hash begins with it.
\`cache paths\` is the same. Needs a token that may pull.`,
      [
        ['./flywheel cache path list team', 'the last that were pushed'],
        ['./flywheel cache path list team python --sort size', 'the largest of that name'],
        ['./flywheel cache path list team --limit 1000000 --json', 'everything, for scripts'],
      ],
    ),
  },
  parameters: {
    flags: {
      sort: {
        kind: 'enum',
        values: ['created', 'used', 'size', 'name'],
        brief: 'The newest, the last used, the largest first; or by name',
        default: 'created',
      },
      limit: {
        kind: 'parsed',
        parse: parseCount(1, 10_000_000),
        placeholder: 'N',
        brief: 'At most so many',
        default: '100',
      },
      ...serverFlags,
      ...outputFlags,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        cacheName,
        {
          parse: String,
          placeholder: 'SEARCH',
          brief: 'Part of a name, start of a hash, or a whole store path',
          optional: true,
        },
      ],
    },
  },
  loader: lazily(async () => (await import('../../../caches/path-list.ts')).runPathList),
});
