import { buildCommand } from '@stricli/core';
import type { PinAddFlags } from '../../../caches/pins.ts';
import type { CliContext } from '../../../context.ts';
import { outputFlags } from '../../../output/index.ts';
import { parseCount, serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';
import { cacheName } from '../name.ts';
import { pinName } from './name.ts';

export const add = buildCommand<PinAddFlags, [string, string, string], CliContext>({
  docs: {
    brief: 'Keep a path and all it refers to under a name',
    fullDescription: describe(
      `
Makes the path the newest revision of the pin; the cache must have it. The newest revisions and
their closures stay, whatever their age and the quota. What is not given stays as it was set before;
a new pin keeps one revision. Needs a token with --push.`,
      [
        ['./flywheel cache pin add team main /nix/store/…-site', 'keep what main is at'],
        [
          './flywheel cache pin add team main /nix/store/…-site --keep-revisions 5',
          'and the four before it',
        ],
        [
          './flywheel cache pin add team mr-12 /nix/store/…-site --keep-revisions 0 --keep-days 14',
          'for two weeks',
        ],
      ],
    ),
  },
  parameters: {
    flags: {
      keepRevisions: {
        kind: 'parsed',
        parse: parseCount(0, 1000),
        placeholder: 'N',
        brief: 'Keep so many of the newest revisions',
        optional: true,
      },
      keepDays: {
        kind: 'parsed',
        parse: parseCount(1, 36_500),
        placeholder: 'DAYS',
        brief: 'Keep those that were set in the last days as well',
        optional: true,
      },
      ...serverFlags,
      ...outputFlags,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        cacheName,
        pinName,
        { parse: String, placeholder: 'PATH', brief: 'Store path that the cache has' },
      ],
    },
  },
  loader: lazily(async () => (await import('../../../caches/pins.ts')).runPinAdd),
});
