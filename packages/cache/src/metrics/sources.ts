import type { AuditLog } from '../access/audit-log.ts';
import type { Traffic } from '../http/traffic.ts';
import type { Run } from '../db/runs.ts';
import type { StoreStatistics } from '../db/metadata.ts';
import type { FramePoolUsage } from '../store/frame-pool.ts';
import type { UpstreamFigures } from '../upstream/upstream-figures.ts';
import type { Figures } from './figures.ts';
import type { RequestFigures } from './request-figures.ts';

/** Where the metrics come from, read when somebody asks for them. */
export interface MetricsSources {
  readonly version: string;
  readonly requests: RequestFigures;
  readonly figures: Figures;
  readonly uploads: {
    readonly inFlight: number;
    readonly waiting: number;
    readonly refused: number;
  };
  readonly traffic: () => Traffic;
  readonly frames: () => FramePoolUsage;
  /** By URL. */
  readonly upstreams: () => ReadonlyMap<string, UpstreamFigures>;
  readonly pullsInFlight: () => number;
  /** Last-use times that are not written yet. */
  readonly pendingUses: () => number;
  readonly audit: Pick<AuditLog, 'pending' | 'lost'>;
  readonly statements: () => number;
  /** By operation, since the start. */
  readonly s3Requests: () => ReadonlyMap<string, number>;
  /** The last run of retention that has ended. */
  readonly lastRun: () => Promise<Run | undefined>;
  readonly store: () => Promise<StoreStatistics>;
}
