import { buildCommand } from '@stricli/core';
import type { TokenListFlags } from '../../../caches/token-list.ts';
import type { CliContext } from '../../../context.ts';
import { outputFlags } from '../../../output/index.ts';
import { parseCount, serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';

export const list = buildCommand<TokenListFlags, [], CliContext>({
  docs: {
    brief: 'List the tokens that the server has made',
    fullDescription: describe(
      `
Lists who has which token, without the tokens: all for an administrator, else those that were made
with the token that asks. Tokens that were signed offline are in no list.`,
      [
        ['./flywheel cache token list', 'those that are still good'],
        ['./flywheel cache token list --subject ci --json', "one subject's, for scripts"],
      ],
    ),
  },
  parameters: {
    flags: {
      subject: {
        kind: 'parsed',
        parse: String,
        placeholder: 'NAME',
        brief: 'Only those of this subject',
        optional: true,
      },
      expired: {
        kind: 'boolean',
        brief: 'Also those that have expired within the last month',
        withNegated: false,
        optional: true,
      },
      limit: {
        kind: 'parsed',
        parse: parseCount(1, 1_000_000),
        placeholder: 'N',
        brief: 'At most so many, the newest',
        default: '200',
      },
      ...serverFlags,
      ...outputFlags,
    },
  },
  loader: lazily(async () => (await import('../../../caches/token-list.ts')).runTokenList),
});
