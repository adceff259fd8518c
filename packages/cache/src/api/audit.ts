import type { AuditEntry } from '../db/identity-records.ts';
import type { ApiContext } from './context.ts';
import type { ApiParts } from './parts.ts';
import { remoteAddressOf } from './remote-address.ts';

/** What was done, beside who did it and from where, which the request tells. */
export interface AuditEvent {
  readonly action: AuditAction;
  readonly cache?: string | undefined;
  /** A store path, an id of a token, names of settings: what within the cache, if anything. */
  readonly target?: string | undefined;
  readonly result?: 'ok' | 'refused';
}

export type AuditAction =
  | 'push'
  | 'pull-through'
  | 'delete'
  | 'pin'
  | 'unpin'
  | 'create-cache'
  | 'configure-cache'
  | 'destroy-cache'
  | 'create-token'
  | 'exchange-token'
  | 'revoke';

/** Records a write that is rare, before it is answered. See AuditLog. */
export function audit(parts: ApiParts, c: ApiContext, event: AuditEvent): Promise<void> {
  return parts.identity.audit.record(entryOf(parts, c, event));
}

/** Records a write of which a push makes thousands, within a second. */
export function auditOften(parts: ApiParts, c: ApiContext, event: AuditEvent): void {
  parts.identity.audit.note(entryOf(parts, c, event));
}

function entryOf(parts: ApiParts, c: ApiContext, event: AuditEvent): AuditEntry {
  const { exchange, incoming } = c;
  return {
    at: parts.clock.now(),
    subject: exchange.claims?.subject,
    tokenId: exchange.claims?.id,
    action: event.action,
    cache: event.cache,
    target: event.target,
    requestId: exchange.requestId,
    remoteAddress: remoteAddressOf(parts.settings, incoming),
    result: event.result ?? 'ok',
  };
}
