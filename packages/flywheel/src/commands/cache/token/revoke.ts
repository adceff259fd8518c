import { buildCommand } from '@stricli/core';
import type { TokenRevokeFlags } from '../../../caches/token-revoke.ts';
import type { CliContext } from '../../../context.ts';
import { outputFlags } from '../../../output/index.ts';
import { serverFlags } from '../../flags.ts';
import { describe } from '../../help.ts';
import { lazily } from '../../lazily.ts';

export const revoke = buildCommand<TokenRevokeFlags, readonly string[], CliContext>({
  docs: {
    brief: 'Make tokens worthless: some, or all of a subject, or all',
    customUsage: ['ID...', '--subject NAME', '--everybody --issued-until TIME'],
    fullDescription: describe(
      `
Revokes tokens by their ids, or all of a subject or of everybody that were issued until a time. It cannot be
taken back, and counts on every replica within ten seconds. Tokens of Attic's own tools have no id;
they are revoked with their subject.

After --everybody the server makes a new administrator's token in its data directory.`,
      [
        ['./flywheel cache token revoke gk2Zt0rV7xQ1bq9f', 'one token'],
        ["./flywheel cache token revoke --subject ci --reason 'leaked in a log'", 'all of ci'],
        [
          './flywheel cache token revoke --everybody --issued-until 2027-01-31T12:00:00Z',
          'all that are older',
        ],
      ],
    ),
  },
  parameters: {
    flags: {
      subject: {
        kind: 'parsed',
        parse: String,
        placeholder: 'NAME',
        brief: 'All tokens of this subject',
        optional: true,
      },
      everybody: {
        kind: 'boolean',
        brief: 'All tokens of everybody',
        withNegated: false,
        optional: true,
      },
      issuedUntil: {
        kind: 'parsed',
        parse: String,
        placeholder: 'TIME',
        brief: 'Of these only what was issued until then, in ISO 8601 [default = now]',
        optional: true,
      },
      reason: {
        kind: 'parsed',
        parse: String,
        placeholder: 'TEXT',
        brief: 'Why, for those who come after you',
        optional: true,
      },
      ...serverFlags,
      ...outputFlags,
    },
    positional: {
      kind: 'array',
      parameter: { parse: String, placeholder: 'ID', brief: 'Ids of tokens' },
    },
  },
  loader: lazily(async () => (await import('../../../caches/token-revoke.ts')).runTokenRevoke),
});
