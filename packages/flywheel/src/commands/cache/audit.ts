import { buildCommand } from '@stricli/core';
import { parseDuration } from '@flywheel/base';
import type { AuditFlags } from '../../caches/audit.ts';
import type { CliContext } from '../../context.ts';
import { outputFlags } from '../../output/index.ts';
import { parseCount, serverFlags } from '../flags.ts';
import { describe } from '../help.ts';
import { lazily } from '../lazily.ts';

export const audit = buildCommand<AuditFlags, [], CliContext>({
  docs: {
    brief: 'Show who changed what',
    fullDescription: describe(
      `
Shows pushes, changes of caches, and tokens that were made or revoked: when, by whom, from where, the
newest first. Needs an administrator's token.`,
      [
        ['./flywheel cache audit', 'the last day'],
        ['./flywheel cache audit --since 7d --cache team', "a week of one cache's"],
        ['./flywheel cache audit --subject ci --action push --json', 'for scripts'],
      ],
    ),
  },
  parameters: {
    flags: {
      since: {
        kind: 'parsed',
        parse: parseDuration,
        placeholder: 'DURATION',
        brief: 'How far back: 12h, 7d',
        default: '1d',
      },
      cache: {
        kind: 'parsed',
        parse: String,
        placeholder: 'CACHE',
        brief: 'Only in this cache',
        optional: true,
      },
      subject: {
        kind: 'parsed',
        parse: String,
        placeholder: 'NAME',
        brief: 'Only by this subject',
        optional: true,
      },
      action: {
        kind: 'parsed',
        parse: String,
        placeholder: 'ACTION',
        brief: 'Only this: push, create-cache, create-token, exchange-token, revoke, …',
        optional: true,
      },
      limit: {
        kind: 'parsed',
        parse: parseCount(1, 1_000_000),
        placeholder: 'N',
        brief: 'At most so many',
        default: '200',
      },
      ...serverFlags,
      ...outputFlags,
    },
  },
  loader: lazily(async () => (await import('../../caches/audit.ts')).runAudit),
});
