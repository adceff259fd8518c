import { FRESH_BESIDE_OTHERS_MS, type ObjectMemo } from './api/object-memo.ts';
import { FLUSH_EVERY_MS, type UseTracker } from './api/use-tracker.ts';
import type { TokenKey } from './access/token-key.ts';
import { scrubKind, type ScrubSettings } from './repair/scrub-run.ts';
import { snapshotKind } from './repair/snapshot-run.ts';
import { retentionKind, type RetentionSettings } from './retention/retention-run.ts';
import { tidyKind } from './retention/tidy-run.ts';
import type { RunKind } from './runs/run-kind.ts';
import type { NarStore } from './store/nar-store.ts';

export interface MaintenanceSettings {
  /** What caches keep that have no period of their own, and how it is collected. */
  readonly retention?: RetentionSettings | undefined;
  /** How what is stored is checked. */
  readonly scrub?: ScrubSettings | undefined;
  /** How long the audit log is kept. */
  readonly auditDays?: number | undefined;
}

export interface MaintenanceParts {
  readonly store: NarStore;
  readonly inS3: boolean;
  /** Whether other processes serve the same store. */
  readonly hasReplicas: boolean;
  readonly objects: ObjectMemo;
  readonly uses: UseTracker;
  readonly tokenKeys: () => readonly TokenKey[];
  readonly onDamage: () => void;
}

/** For a process that is late with writing down what it has answered from its memory. */
const LATE_MS = 3500;
const SETTLE_MS = FRESH_BESIDE_OTHERS_MS + FLUSH_EVERY_MS + LATE_MS;

/** All that is done beside serving, by itself or when asked for. */
export function maintenanceKinds(
  { store, inS3, hasReplicas, objects, uses, tokenKeys, onDamage }: MaintenanceParts,
  { retention, scrub, auditDays }: MaintenanceSettings,
): readonly RunKind[] {
  return [
    retentionKind({
      ...retention,
      store,
      settleMs: hasReplicas ? SETTLE_MS : undefined,
      uses,
      onRemoved: (cacheId, hashes) => hashes.forEach((hash) => objects.delete(cacheId, hash)),
    }),
    scrubKind({ ...scrub, store, inS3, onDamage }),
    snapshotKind({ store, tokenKeys }),
    tidyKind({ metadata: store.metadata, auditDays }),
  ];
}
