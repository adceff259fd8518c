import type { Clock, Logger } from '@flywheel/base';
import type { Identity } from '../access/identity.ts';
import type { ReadChecks } from '../repair/read-checks.ts';
import type { RunDesk } from '../runs/run-desk.ts';
import type { NarStore } from '../store/nar-store.ts';
import type { NarLocks } from '../store/nar-locks.ts';
import type { Figures } from '../metrics/figures.ts';
import type { CacheDirectory } from './cache-directory.ts';
import type { HandOver } from './hand-over.ts';
import type { ObjectMemo } from './object-memo.ts';
import type { Readiness } from './readiness.ts';
import type { StoreFigures } from './store-figures.ts';
import type { UploadGate } from './upload-gate.ts';
import type { UseTracker } from './use-tracker.ts';
import type { Pulls } from '../upstream/pulls.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { Via } from '../upstream/via.ts';

export interface ApiSettings {
  /** Exact values of `Host` that are served; empty means any. */
  readonly allowedHosts: readonly string[];
  /** Public URL of the API, ending in `/`; undefined derives it from each request. */
  readonly apiEndpoint: string | undefined;
  readonly substituterEndpoint: string | undefined;
  /** Limit in bytes of upload info sent as a preamble. */
  readonly maxNarInfoSize: number;
  /** Whether the store's figures are shown to callers without a token. */
  readonly publicStatus: boolean;
  /** A proxy of ours is in front: the last address in X-Forwarded-For is the client's. */
  readonly trustForwardedFor: boolean;
}

/** Where the process is between its start and its end. */
export interface Lifecycle {
  /** It is asked to end: answers close their connections, and /readyz says 503. */
  draining: boolean;
}

/** What the endpoints work with. */
export interface ApiParts {
  readonly settings: ApiSettings;
  readonly store: NarStore;
  readonly identity: Identity;
  /** Makes the administrator's token of this server anew when it has been revoked. */
  readonly renewAdminToken: () => Promise<void>;
  readonly caches: CacheDirectory;
  readonly objects: ObjectMemo;
  readonly narLocks: NarLocks;
  readonly uses: UseTracker;
  readonly uploads: UploadGate;
  /** Who sends NARs that are one whole pack, if not we. */
  readonly handOver: HandOver | undefined;
  readonly upstreams: Upstreams;
  readonly pulls: Pulls;
  /** Bounds the pulls as `uploads` does the pushes. */
  readonly pullGate: UploadGate;
  readonly via: Via;
  /** Checks what was sent, afterwards; undefined: nobody does. */
  readonly readChecks: ReadChecks | undefined;
  readonly figures: Figures;
  readonly runs: RunDesk;
  /** Of caches without a period of their own; undefined and 0 keep for ever. */
  readonly defaultRetentionSeconds: number | undefined;
  readonly readiness: Readiness;
  /** Counted anew when the last count is older than this many milliseconds. */
  readonly storeFigures: (maxAgeMs: number) => Promise<StoreFigures>;
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the status page and `/_status.json` tell beside the store's own figures. */
  readonly status: () => Readonly<Record<string, unknown>>;
}
