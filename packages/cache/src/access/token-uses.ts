import type { Logger } from '@flywheel/base';
import type { IdentityRecords } from '../db/identity-records.ts';

/** Notes when tokens were used, and writes it down in batches. */
export interface TokenUses {
  note(tokenId: string): void;
  flush(nowMs: number): Promise<void>;
}

/** More tokens in a minute than a server sees; those over it look unused for a minute longer. */
const MAX_PENDING = 10_000;

export function createTokenUses(records: IdentityRecords, logger: Logger): TokenUses {
  let used = new Set<string>();
  return {
    note(tokenId) {
      if (used.size < MAX_PENDING) used.add(tokenId);
    },
    async flush(nowMs) {
      const batch = [...used];
      used = new Set();
      // Lossy by design: a failed batch only makes tokens look unused for a while.
      await records
        .touchTokens(batch, nowMs)
        .catch((error: unknown) => logger.warn('uses of tokens were not written', { error }));
    },
  };
}
