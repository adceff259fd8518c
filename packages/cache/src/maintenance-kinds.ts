import type { ObjectMemo } from './api/object-memo.ts';
import type { UseTracker } from './api/use-tracker.ts';
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

/**
 * Another process answers from its memory for 5 s, and writes down after 2 s more that it has. Half
 * as much again, for one that is late.
 */
const SETTLE_MS = 10_500;

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
