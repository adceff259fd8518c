import type { CliContext } from '../context.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { findServer } from './find-server.ts';
import type { ServerFlags } from './find-server.ts';
import { readAudit } from './identity-api.ts';
import type { AuditEntry } from './identity-api.ts';

export interface AuditFlags extends OutputFlags, ServerFlags {
  /** Milliseconds before now. */
  readonly since: number;
  readonly cache?: string;
  readonly subject?: string;
  readonly action?: string;
  readonly limit: number;
}

export async function runAudit(context: CliContext, flags: AuditFlags): Promise<void> {
  const output = createOutput(context, flags);
  const server = await findServer(context, flags);
  const { cache, subject, action } = flags;
  const since = new Date(context.clock.now() - flags.since).toISOString();
  const query = { since, cache, subject, action };
  const entries = await readAudit(server, query, flags.limit, context.signal);
  if (entries.length === 0) output.print(`Nothing was changed since ${since}.`);
  else output.print(formatTable([HEAD, ...entries.map(rowOf)]));
  if (entries.length === flags.limit) output.note('There may be more: raise --limit.');
  output.result({ since, entries });
}

const HEAD = ['AT', 'WHO', 'FROM', 'ACTION', 'CACHE', 'WHAT'];

function rowOf(entry: AuditEntry): readonly string[] {
  const { at, subject, remote_address: from, action, cache, target, result } = entry;
  return [
    at.slice(0, 19),
    subject ?? '–',
    from ?? '–',
    result === 'ok' ? action : `${action} (${result})`,
    cache ?? '–',
    target ?? '',
  ];
}
