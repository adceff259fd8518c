import { buildCommand } from '@stricli/core';
import type { KeyFlags } from '../../../caches/keys.ts';
import type { CliContext } from '../../../context.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';
import { keyFlags, kid } from './flags.ts';

const positional = { kind: 'tuple', parameters: [kid] } as const;

export const retire = buildCommand<KeyFlags, [string], CliContext>({
  docs: {
    brief: 'Let a key sign no more',
    fullDescription: describe('The key still verifies what it has signed, until it is removed.', [
      ['./flywheel cache key retire KID', 'adds .verify to the name of its file'],
    ]),
  },
  parameters: { flags: keyFlags, positional },
  loader: lazily(async () => (await import('../../../caches/keys.ts')).runKeyRetire),
});

export const remove = buildCommand<KeyFlags, [string], CliContext>({
  docs: {
    brief: 'Remove a key, and with it all tokens that it has signed',
    fullDescription: describe(
      'Every token that the key has signed is worthless from then on. The last key that signs stays.',
      [['./flywheel cache key remove KID', 'its file is deleted']],
    ),
  },
  parameters: { flags: keyFlags, positional },
  loader: lazily(async () => (await import('../../../caches/keys.ts')).runKeyRemove),
});
