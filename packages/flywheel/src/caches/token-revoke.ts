import { FlywheelError } from '@flywheel/base';
import type { CliContext } from '../context.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { findServer } from './find-server.ts';
import type { ServerFlags } from './find-server.ts';
import { revokeTokens } from './identity-api.ts';

export interface TokenRevokeFlags extends OutputFlags, ServerFlags {
  readonly subject?: string;
  readonly everybody?: boolean;
  readonly issuedUntil?: string;
  readonly reason?: string;
}

export async function runTokenRevoke(
  context: CliContext,
  flags: TokenRevokeFlags,
  ...ids: readonly string[]
): Promise<void> {
  const output = createOutput(context, flags);
  const whats = whatToRevoke(flags, ids);
  const server = await findServer(context, flags);
  for (const { request, words } of whats) {
    await revokeTokens(server, { ...request, reason: flags.reason }, context.signal);
    output.print(`Revoked ${words}.`);
  }
  output.print('Every replica refuses that within ten seconds.');
  output.result({ revoked: whats.map(({ request }) => request) });
}

function whatToRevoke(flags: TokenRevokeFlags, ids: readonly string[]) {
  const { subject, everybody, issuedUntil } = flags;
  const named = [ids.length > 0, subject !== undefined, everybody === true];
  if (named.filter(Boolean).length !== 1 || (ids.length > 0 && issuedUntil !== undefined)) {
    throw new FlywheelError('invalid-input', 'name either tokens, --subject or --everybody', {
      details: { hint: './flywheel cache token list shows the tokens' },
    });
  }
  const until = issuedUntil === undefined ? '' : ` that were issued until ${issuedUntil}`;
  const time = { issued_until: issuedUntil };
  if (subject !== undefined) {
    return [{ request: { subject, ...time }, words: `all tokens of ${subject}${until}` }];
  }
  if (everybody === true) {
    return [{ request: { everybody, ...time }, words: `all tokens${until}` }];
  }
  return ids.map((id) => ({ request: { id }, words: `the token ${id}` }));
}
