import { buildCommand } from '@stricli/core';
import type { ServerFlags } from '../../../caches/find-server.ts';
import type { CliContext } from '../../../context.ts';
import { outputFlags } from '../../../output/index.ts';
import type { OutputFlags } from '../../../output/index.ts';
import { serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';

export const show = buildCommand<OutputFlags & ServerFlags, [string], CliContext>({
  docs: {
    brief: 'Show what is known of a token',
    fullDescription: describe(
      'Shows what a token may do, who made it and when, and whether it was used or revoked.',
      [['./flywheel cache token show ID', 'ID is that of cache token list, the jti of the token']],
    ),
  },
  parameters: {
    flags: { ...serverFlags, ...outputFlags },
    positional: {
      kind: 'tuple',
      parameters: [{ parse: String, placeholder: 'ID', brief: 'Id of the token' }],
    },
  },
  loader: lazily(async () => (await import('../../../caches/token-list.ts')).runTokenShow),
});
