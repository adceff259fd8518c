import { z } from 'zod';
import type { StoredAuditEntry } from '../db/identity-records.ts';
import { requireAdministrator } from './caller.ts';
import type { ApiParts } from './parts.ts';
import { Name, PageSize, queryOf, Time } from './query.ts';
import type { Handler } from './router.ts';
import { NO_STORE } from './tokens.ts';

const Query = z.strictObject({
  since: Time.optional(),
  until: Time.optional(),
  cache: Name.optional(),
  subject: Name.optional(),
  action: Name.optional(),
  /** `next` of the page before. */
  before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
  limit: PageSize,
});

/** GET /_flywheel/v1/audit: who changed what, the newest first. For administrators. */
export function readAudit(parts: ApiParts): Handler {
  return async (c) => {
    await requireAdministrator(parts, c);
    const query = queryOf(c, Query);
    // What this process has done until now is to be seen.
    await parts.identity.audit.flush();
    const entries = await parts.store.metadata.readAudit(query);
    const next = entries.length < query.limit ? null : (entries.at(-1)?.id ?? null);
    return c.json({ entries: entries.map(shown), next }, 200, NO_STORE);
  };
}

function shown(entry: StoredAuditEntry) {
  return {
    id: entry.id,
    at: new Date(entry.at).toISOString(),
    subject: entry.subject ?? null,
    token: entry.tokenId ?? null,
    action: entry.action,
    cache: entry.cache ?? null,
    target: entry.target ?? null,
    request_id: entry.requestId ?? null,
    remote_address: entry.remoteAddress ?? null,
    result: entry.result,
  };
}
