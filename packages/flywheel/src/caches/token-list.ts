import type { CliContext } from '../context.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { findServer } from './find-server.ts';
import type { ServerFlags } from './find-server.ts';
import { listTokens, readToken } from './identity-api.ts';
import type { ListedToken } from './identity-api.ts';

export interface TokenListFlags extends OutputFlags, ServerFlags {
  readonly subject?: string;
  readonly expired?: boolean;
  readonly limit: number;
}

export async function runTokenList(context: CliContext, flags: TokenListFlags): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const query = { subject: flags.subject, expired: flags.expired === true };
  const tokens = await listTokens(server, query, flags.limit, context.signal);
  if (tokens.length === 0)
    output.print('No tokens that were made by the server and are still good.');
  else output.print(formatTable([HEAD, ...tokens.map(rowOf)]));
  output.result({ tokens });
}

const HEAD = ['ID', 'SUBJECT', 'MAY', 'EXPIRES', 'LAST USED', 'STATE'];

function rowOf(token: ListedToken): readonly string[] {
  return [
    token.id,
    token.subject,
    grantsText(token),
    token.expires_at.slice(0, 16),
    token.last_used_at?.slice(0, 16) ?? '–',
    token.revoked ? 'revoked' : token.origin,
  ];
}

export async function runTokenShow(
  context: CliContext,
  flags: OutputFlags & ServerFlags,
  id: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const token = await readToken(server, id, context.signal);
  const madeBy = token.created_by ?? 'somebody without a name';
  output.print(
    formatTable([
      ['Token', output.style('bold', token.id)],
      ['Subject', token.subject],
      ['May', grantsText(token)],
      ['Made', `${token.created_at} by ${madeBy}, by ${token.origin}`],
      ['Signed with', token.kid],
      ['Expires', token.expires_at],
      ['Last used', token.last_used_at ?? 'never'],
      ['Revoked', token.revoked ? 'yes' : 'no'],
    ]),
  );
  output.result(token);
}

function grantsText({ grants }: ListedToken): string {
  return grants.map(({ cache, allow }) => `${allow.join('+')} ${cache}`).join(', ');
}
