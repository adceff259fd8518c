import type { IdentityRecords } from '../db/identity-records.ts';
import { inBatches } from '../db/in-batches.ts';

const BATCH = 1000;
const DAY_MS = 86_400_000;
/** A token that has expired may still be asked about: who was that, last week? */
const KEEP_EXPIRED_MS = 30 * DAY_MS;

/**
 * Forgets audit entries older than so many days and tokens that expired a month ago, in short
 * statements until there are none. Safe beside itself on other replicas.
 */
export async function tidyIdentity(
  records: IdentityRecords,
  nowMs: number,
  auditDays: number,
): Promise<void> {
  await inBatches(BATCH, (limit) => records.removeAudit(nowMs - auditDays * DAY_MS, limit));
  await inBatches(BATCH, (limit) => records.removeExpiredTokens(nowMs - KEEP_EXPIRED_MS, limit));
}
