import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SecretKey } from '@flywheel/nix';
import type { TokenKey } from '../access/token-key.ts';
import type { Cache } from '../db/metadata.ts';
import type { RunKind } from '../runs/run-kind.ts';
import type { NarStore } from '../store/nar-store.ts';
import { createPace } from '../store/pace.ts';
import { removeBlobs } from '../store/remove-blobs.ts';
import { sealSecret } from './seal-secret.ts';
import { expiredSnapshots } from './expired-snapshots.ts';
import { writeSnapshotBlob } from './snapshot-blob.ts';
import { formatSnapshot, type SnapshotRecord } from './snapshot-format.ts';

export interface SnapshotParts {
  readonly store: Pick<NarStore, 'metadata' | 'blobs'>;
  /** The keys that the secrets of caches are sealed for. */
  readonly tokenKeys: () => readonly TokenKey[];
}

const EVERY_MS = 3600 * 1000;

const Options = z.object({});

/** The result of a run, as it is kept and as the API shows it. */
interface SnapshotResult {
  /** Where it is; absent when nothing has changed, or there is nothing. */
  readonly written?: string;
  readonly removed: number;
}

/**
 * Copies what packs do not say of themselves beside them: the caches, which paths are in them, and
 * pins. With packs that is enough to make the database anew.
 */
export function snapshotKind(parts: SnapshotParts): RunKind<z.infer<typeof Options>> {
  const { metadata } = parts.store;
  return {
    name: 'snapshot',
    options: Options,
    permission: 'delete',
    due: { everyMs: EVERY_MS, options: {}, atStart: false },
    exclusively: (work) => metadata.withMaintenanceLock('snapshot', work),
    run: (_, { signal, report }) => {
      report({ step: 'writing a snapshot' });
      return writeSnapshot(parts, signal);
    },
    hasDone: (result) => (result as SnapshotResult).written !== undefined,
  };
}

async function writeSnapshot(parts: SnapshotParts, signal: AbortSignal): Promise<SnapshotResult> {
  const { metadata, blobs } = parts.store;
  const caches = await metadata.listCaches();
  const kept = (await Array.fromAsync(blobs.list('snapshots'))).map(({ key }) => key).toSorted();
  // An empty database says nothing that is worth keeping, and may be one that has lost all.
  if (caches.length === 0) return { removed: 0 };
  const kids = parts.tokenKeys().map(({ kid }) => kid);
  const mark = createHash('sha256')
    .update(JSON.stringify([caches, kids, await metadata.snapshotMark()]))
    .digest('hex')
    .slice(0, 16);
  if (kept.at(-1)?.includes(mark) === true) return { removed: 0 };
  const createdAt = await metadata.currentTime();
  const time = new Date(createdAt).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const written = `snapshots/${time}-${mark}.jsonl.zst`;
  const records = snapshotRecords(parts, caches, signal);
  await writeSnapshotBlob(blobs, written, formatSnapshot(createdAt, records));
  const expired = expiredSnapshots([...kept, written]);
  await removeBlobs(blobs, expired);
  return { written, removed: expired.length };
}

async function* snapshotRecords(
  { store: { metadata }, tokenKeys }: SnapshotParts,
  caches: readonly Cache[],
  signal: AbortSignal,
): AsyncGenerator<SnapshotRecord> {
  const pace = createPace(1, { signal });
  for (const cache of caches) {
    yield {
      type: 'cache',
      name: cache.name,
      public_key: SecretKey.parse(cache.secretKey).publicKey,
      sealed_secret_key: sealSecret(tokenKeys(), cache.name, cache.secretKey),
      is_public: cache.isPublic,
      store_dir: cache.storeDir,
      priority: cache.priority,
      upstream_cache_key_names: [...cache.upstreamCacheKeyNames],
      retention_seconds: cache.retentionSeconds ?? null,
      quota_bytes: cache.quotaBytes ?? null,
      upstreams: cache.upstreams.map(({ url, publicKeys }) => ({
        url,
        public_keys: [...publicKeys],
      })),
      created_at: cache.createdAt,
    };
    for (let after = ''; ;) {
      const objects = await metadata.snapshotObjects(cache.id, after, metadata.batchRows);
      const last = objects.at(-1);
      if (last === undefined) break;
      after = last.storePathHash;
      for (const object of objects) {
        yield {
          type: 'object',
          cache: cache.name,
          store_path_hash: object.storePathHash,
          store_path: object.storePath,
          nar_hash: object.narHash.toString('hex'),
          references: [...object.references],
          deriver: object.deriver,
          system: object.system,
          sigs: [...object.sigs],
          ca: object.ca,
          created_at: object.createdAt,
          last_used_at: object.lastUsedAt,
          created_by: object.createdBy,
        };
      }
      await pace.rest();
    }
    for (const pin of await metadata.snapshotPins(cache.id)) {
      yield {
        type: 'pin',
        cache: cache.name,
        name: pin.name,
        keep_revisions: pin.keepRevisions,
        keep_seconds: pin.keepSeconds,
        latest: pin.latest,
        revisions: pin.revisions.map((revision) => ({
          store_path_hash: revision.storePathHash,
          store_path: revision.storePath,
          revision: revision.revision,
          created_at: revision.createdAt,
          created_by: revision.createdBy,
        })),
      };
    }
  }
}
