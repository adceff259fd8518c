import { buildCommand } from '@stricli/core';
import type { KeyFlags } from '../../../caches/keys.ts';
import type { CliContext } from '../../../context.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';
import { keyFlags } from './flags.ts';

export const list = buildCommand<KeyFlags, [], CliContext>({
  docs: {
    brief: 'List the keys that sign and verify tokens',
    fullDescription: describe('Lists the keys without their secrets, and which of them signs.', [
      ['./flywheel cache key list', 'those of the data directory'],
      ['./flywheel cache key list --token-keys /etc/flywheel/keys', 'those of a folder'],
    ]),
  },
  parameters: { flags: keyFlags },
  loader: lazily(async () => (await import('../../../caches/keys.ts')).runKeyList),
});
