import type { MetricsSources } from './sources.ts';
import { UPSTREAM_METRICS } from './upstream-metrics.ts';

/** A number, or one for each value of the label. */
export type Reading = number | Readonly<Record<string, number>>;

/** One metric of ours: how it is called, and where its value comes from. */
export interface CacheMetric {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly label?: string;
  readonly read: (sources: MetricsSources) => Reading | Promise<Reading>;
}

/**
 * All but the requests, which have two labels. No label holds what a client chooses: no path, no
 * name of a cache, no token.
 */
export const CACHE_METRICS: readonly CacheMetric[] = [
  ...UPSTREAM_METRICS,
  {
    name: 'flywheel_cache_info',
    help: 'Always 1; the label is the version of the server.',
    kind: 'gauge',
    label: 'version',
    read: ({ version }) => ({ [version]: 1 }),
  },
  {
    name: 'flywheel_cache_narinfo_lookups_total',
    help: 'Narinfos asked for by who may read them, present (hit) or not (miss).',
    kind: 'counter',
    label: 'result',
    read: ({ figures }) => ({ hit: figures.narInfoHits, miss: figures.narInfoMisses }),
  },
  {
    name: 'flywheel_cache_uploads_total',
    help: 'NARs taken: stored (uploaded), found here and only checked (deduplicated), or first halves of nix copy (staged).',
    kind: 'counter',
    label: 'kind',
    read: ({ figures }) => figures.uploads,
  },
  {
    name: 'flywheel_cache_upload_bytes_total',
    help: 'Plain bytes of the NARs taken.',
    kind: 'counter',
    read: ({ figures }) => figures.uploadedBytes,
  },
  {
    name: 'flywheel_cache_deduplicated_bytes_total',
    help: 'Plain bytes of the NARs taken that were stored already.',
    kind: 'counter',
    read: ({ figures }) => figures.deduplicatedBytes,
  },
  {
    name: 'flywheel_cache_uploads_in_flight',
    help: 'Uploads that are being read.',
    kind: 'gauge',
    read: ({ uploads }) => uploads.inFlight,
  },
  {
    name: 'flywheel_cache_uploads_waiting',
    help: 'Uploads that wait for their turn, unread.',
    kind: 'gauge',
    read: ({ uploads }) => uploads.waiting,
  },
  {
    name: 'flywheel_cache_uploads_refused_total',
    help: 'Uploads that waited too long and were told to come again with 503.',
    kind: 'counter',
    read: ({ uploads }) => uploads.refused,
  },
  {
    name: 'flywheel_cache_downloads_total',
    help: 'NARs asked for, by who sends them: this server (sent), the object store (redirected), the front server.',
    kind: 'counter',
    label: 'way',
    read: ({ figures }) => figures.downloads,
  },
  {
    name: 'flywheel_cache_downloads_in_flight',
    help: 'NARs that are being sent.',
    kind: 'gauge',
    read: ({ figures }) => figures.downloadsInFlight,
  },
  {
    name: 'flywheel_cache_damage_found_total',
    help: 'Packs and NARs of the store found damaged or gone: their paths are missing until they are pushed again.',
    kind: 'counter',
    read: ({ figures }) => figures.damageFound,
  },
  {
    name: 'flywheel_cache_connections',
    help: 'Open connections of clients.',
    kind: 'gauge',
    read: ({ traffic }) => traffic().connections,
  },
  {
    name: 'flywheel_cache_connections_dropped_total',
    help: 'Connections closed at once because there were too many.',
    kind: 'counter',
    read: ({ traffic }) => traffic().dropped,
  },
  {
    name: 'flywheel_cache_network_bytes_total',
    help: 'Bytes over the connections of clients, heads included.',
    kind: 'counter',
    label: 'direction',
    read: ({ traffic }) => {
      const { receivedBytes, sentBytes } = traffic();
      return { received: receivedBytes, sent: sentBytes };
    },
  },
  {
    name: 'flywheel_cache_frame_slots',
    help: 'Pieces of memory for chunks on their way into the store.',
    kind: 'gauge',
    label: 'state',
    read: ({ frames }) => {
      const { slots, used } = frames();
      return { used, free: slots - used };
    },
  },
  {
    name: 'flywheel_cache_frame_slots_waiting',
    help: 'Uploads that wait for such a piece: compression is the bottleneck.',
    kind: 'gauge',
    read: ({ frames }) => frames().waiting,
  },
  {
    name: 'flywheel_cache_use_tracker_pending',
    help: 'Last-use times that are not written yet.',
    kind: 'gauge',
    read: ({ pendingUses }) => pendingUses(),
  },
  {
    name: 'flywheel_cache_audit_pending',
    help: 'Entries of the audit log that are not in the database yet.',
    kind: 'gauge',
    read: ({ audit }) => audit.pending(),
  },
  {
    name: 'flywheel_cache_audit_lost_total',
    help: 'Entries that only the log has, because the database took none for too long.',
    kind: 'counter',
    read: ({ audit }) => audit.lost(),
  },
  {
    name: 'flywheel_cache_reclaim_runs_total',
    help: 'Runs of retention by this process: they remove what has expired and what nothing refers to.',
    kind: 'counter',
    label: 'result',
    read: ({ figures }) => ({ ok: figures.reclaimRuns, failed: figures.reclaimFailures }),
  },
  {
    name: 'flywheel_cache_reclaimed_total',
    help: 'Rows and files that they removed.',
    kind: 'counter',
    label: 'what',
    read: ({ figures }) => ({ nars: figures.reclaimedNars, packs: figures.reclaimedPacks }),
  },
  {
    name: 'flywheel_cache_reclaimed_bytes_total',
    help: 'Stored bytes that they freed.',
    kind: 'counter',
    read: ({ figures }) => figures.reclaimedBytes,
  },
  {
    name: 'flywheel_cache_expired_paths_total',
    help: 'Paths that they removed because of age or quota.',
    kind: 'counter',
    read: ({ figures }) => figures.expiredPaths,
  },
  {
    name: 'flywheel_cache_expired_bytes_total',
    help: 'Plain bytes of the NARs of those paths.',
    kind: 'counter',
    read: ({ figures }) => figures.expiredBytes,
  },
  {
    name: 'flywheel_cache_repacked_packs_total',
    help: 'Packs that were mostly dead and that they rewrote.',
    kind: 'counter',
    read: ({ figures }) => figures.repackedPacks,
  },
  {
    name: 'flywheel_cache_retention_finished_timestamp_seconds',
    help: 'When the last run of retention ended, of whichever process, by how it ended.',
    kind: 'gauge',
    label: 'state',
    read: async ({ lastRun }) => {
      const run = await lastRun();
      return run?.finishedAt === undefined ? {} : { [run.state]: run.finishedAt / 1000 };
    },
  },
  {
    name: 'flywheel_cache_database_statements_total',
    help: 'Statements run on the database.',
    kind: 'counter',
    read: ({ statements }) => statements(),
  },
  {
    name: 'flywheel_cache_s3_requests_total',
    help: 'Requests to the object store by operation, repetitions included; none for a folder.',
    kind: 'counter',
    label: 'operation',
    read: ({ s3Requests }) => Object.fromEntries(s3Requests()),
  },
  {
    name: 'flywheel_cache_store_entries',
    help: 'What the store holds, counted at most once a minute.',
    kind: 'gauge',
    label: 'what',
    read: async ({ store }) => {
      const { caches, objects, nars, chunks, packs } = await store();
      return { caches, objects, nars, chunks, packs };
    },
  },
  {
    name: 'flywheel_cache_store_bytes',
    help: 'Plain sizes of all paths (logical) and the sizes of all packs (stored); their ratio is what the store saves.',
    kind: 'gauge',
    label: 'kind',
    read: async ({ store }) => {
      const { logicalBytes, storedBytes } = await store();
      return { logical: logicalBytes, stored: storedBytes };
    },
  },
];
