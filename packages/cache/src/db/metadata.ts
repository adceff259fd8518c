import type { Segment } from '@flywheel/chunking';
import type { AtticPlaceRecords } from './attic-rows.ts';
import type { BuildRecords } from './build-records.ts';
import type { GatherMetadata } from './gather-rows.ts';
import type { IdentityRecords } from './identity-records.ts';
import type { Rest } from './database.ts';
import type { MaintenanceLock } from './maintenance-lock.ts';
import type { PinMetadata } from './pins.ts';
import type { RepackMetadata } from './repack-rows.ts';
import type { RepairMetadata } from './repair-rows.ts';
import type { RetentionMetadata } from './retention-rows.ts';
import type { RunMetadata } from './runs.ts';
import type { PathRecords } from './path-records.ts';
import type { SnapshotMetadata } from './snapshot-rows.ts';

/** A cache: a tenant with its own signing key and settings. */
export interface Cache {
  readonly id: number;
  readonly name: string;
  /** Nix secret key text. Never shown. */
  readonly secretKey: string;
  readonly isPublic: boolean;
  readonly storeDir: string;
  readonly priority: number;
  readonly upstreamCacheKeyNames: readonly string[];
  /** Seconds; undefined means the server's own period, 0 keeps for ever. */
  readonly retentionSeconds: number | undefined;
  /** Bytes that its NARs may take compressed; undefined means any. */
  readonly quotaBytes?: number | undefined;
  readonly createdAt: number;
  /** In the order in which they are asked for what the cache lacks. */
  readonly upstreams: readonly Upstream[];
}

export type CacheSettings = Omit<Cache, 'id' | 'name' | 'createdAt' | 'upstreams'>;

/** A cache elsewhere, and whose signatures in it are believed. */
export interface Upstream {
  /** Ends in `/`. */
  readonly url: string;
  readonly publicKeys: readonly string[];
}

/** A NAR in the store. */
export interface Nar {
  readonly id: number;
  readonly hash: Buffer;
  readonly size: number;
  readonly fileSize: number;
  readonly segments: readonly Segment[];
}

/** The metadata of a store path that a push brings. */
export interface ObjectInput {
  readonly cacheId: number;
  readonly storePathHash: string;
  readonly storePath: string;
  readonly references: readonly string[];
  readonly deriver: string | undefined;
  readonly system: string | undefined;
  readonly sigs: readonly string[];
  readonly ca: string | undefined;
  readonly createdBy: string | undefined;
}

export interface StoredObject extends ObjectInput {
  readonly nar: Nar;
}

/** A stored chunk: its frame lies at `offset` of a pack. `size` is the chunk's plain size. */
export interface ChunkLocation {
  readonly hash: Buffer;
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
  readonly size: number;
}

export interface Pack {
  readonly id: number;
  readonly key: string;
  readonly size: number;
}

export interface CondemnedQuery {
  /** Only packs with a larger id. */
  readonly after?: number;
  /** A time (currentTime) after the end of condemnPacks: who began after it has seen all it did. */
  readonly condemnedBy?: number;
}

/** In a NAR's segments before commit: the pack that is being committed and has no row yet. */
export const NEW_PACK = 0;

export interface NarCommit {
  readonly lease: string;
  readonly hash: Buffer;
  readonly size: number;
  readonly pack: { readonly key: string; readonly size: number };
  /** Chunks whose frames are in the new pack; their `pack` is NEW_PACK. */
  readonly chunks: readonly ChunkLocation[];
  /** The NAR's bytes in order; NEW_PACK stands for the new pack. */
  readonly segments: readonly Segment[];
  readonly fileSize: number;
  /** Compressed `.ls` listing. */
  readonly listing: Buffer | undefined;
}

/** What a NAR in the store is for: a path of a cache, or a file that a narinfo will name. */
export type NarUse =
  | {
      readonly object: ObjectInput;
      /** A path that is there and intact stays as it is. */
      readonly onlyIfAbsent?: boolean;
    }
  | { readonly staged: { readonly cacheId: number; readonly fileName: string } };

export interface Upload {
  readonly lease: string;
  /** The NAR, when the store has it intact. It stays while the lease lives. */
  readonly nar: Nar | undefined;
}

/**
 * What the store knows about its blobs. Implemented over SQL; every method is one short
 * transaction, and a process that dies between two of them leaves nothing that `reclaim` cannot
 * find. With PostgreSQL any number of processes may call any of them at any time.
 *
 * A FlywheelError means that nothing was done. Any other, such as a lost connection, leaves that
 * open.
 */
export interface Metadata
  extends
    AtticPlaceRecords,
    BuildRecords,
    GatherMetadata,
    IdentityRecords,
    PathRecords,
    PinMetadata,
    RepackMetadata,
    RepairMetadata,
    RetentionMetadata,
    RunMetadata,
    SnapshotMetadata {
  findCache(name: string): Promise<Cache | undefined>;
  listCaches(): Promise<readonly Cache[]>;
  /** Throws `already-exists`. */
  createCache(name: string, settings: CacheSettings): Promise<Cache>;
  updateCache(id: number, changes: Partial<CacheSettings>): Promise<void>;
  /**
   * With all its objects. The cache is gone at once, its objects in many short transactions; what
   * a killed process has left of them, removeDeletedCaches finds. Their NARs are left to `reclaim`.
   * False when it was gone already.
   */
  deleteCache(id: number, rest?: Rest): Promise<boolean>;
  /** Goes on with what interrupted calls of deleteCache have left. */
  removeDeletedCaches(rest?: Rest): Promise<void>;
  setUpstreams(cacheId: number, upstreams: readonly Upstream[]): Promise<void>;

  /** Undefined when absent or when its NAR is known to be damaged. */
  findObject(cacheId: number, storePathHash: string): Promise<StoredObject | undefined>;
  /**
   * Those of the hashes for which `findObject` has no answer, and those that are about to expire,
   * each once. Any number.
   */
  missingPaths(cacheId: number, hashes: readonly string[]): Promise<readonly string[]>;
  /** Notes that these objects were used, unless a later use is noted. */
  touch(cacheId: number, hashes: readonly string[], at: number): Promise<void>;
  findListing(narId: number): Promise<Buffer | undefined>;

  /** Opens a lease, and finds the NAR if its hash is known beforehand. */
  beginUpload(narHash: Buffer | undefined): Promise<Upload>;
  /** Throws `conflict` when the lease has expired: the upload must start again. */
  renewLease(lease: string): Promise<void>;
  /** The upload has failed: its lease is dead at once, and what it left is reclaimed. */
  abandonLease(lease: string): Promise<void>;
  /** Chunks that may be referred to while a lease is held. */
  findChunks(hashes: readonly Buffer[]): Promise<readonly ChunkLocation[]>;
  /**
   * Records a NAR whose pack is durable, and its use, and ends the lease: all of it or nothing. When
   * another upload has committed the same NAR before, that one is the answer, `adopted` is false,
   * and the caller removes its own pack; until then the lease is a dead one. Throws `conflict` when the lease has expired, or what the
   * segments refer to is gone.
   */
  commitNar(
    commit: NarCommit,
    use: NarUse,
  ): Promise<{ readonly nar: Nar; readonly adopted: boolean }>;
  /** Records a further use of a NAR that is there, and ends the lease if there is one. */
  useNar(narId: number, use: NarUse, lease?: string): Promise<void>;

  findStagedNar(cacheId: number, fileName: string): Promise<Nar | undefined>;

  findPacks(ids: readonly number[]): Promise<readonly Pack[]>;
  /** All NARs in this pack become absent, its chunks unknown. Returns how many NARs. */
  markPackDamaged(packId: number): Promise<number>;

  /** Abandons the leases of processes that no longer run. Only for the sole owner of the database. */
  abandonAllLeases(): Promise<void>;
  /** The earliest start of a live lease, or undefined. */
  oldestLease(): Promise<number | undefined>;
  /**
   * Up to `limit` leases whose uploads are over without a commit. Each names the one pack that its
   * upload may have left behind (packKeyOf).
   */
  deadLeases(limit: number): Promise<readonly string[]>;
  /** Forgets dead leases whose packs are gone; those that ran out lately are kept for a day. */
  forgetLeases(leases: readonly string[]): Promise<void>;
  /** Which of these keys belong to a pack. */
  knownPackKeys(keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** Removes up to `limit` NARs that nothing refers to; returns how many. Fewer: no more there. */
  removeUnusedNars(limit: number): Promise<number>;
  /** Condemns packs that no NAR lies in, looking at all of them in short transactions. */
  condemnPacks(rest?: Rest): Promise<number>;
  /**
   * Up to `limit` condemned packs that no live upload can have seen alive. Nothing will refer to
   * them from now on: their blobs may go. In the order of their ids; none: no more there.
   */
  condemnedPacks(limit: number, query?: CondemnedQuery): Promise<readonly Pack[]>;
  /** Forgets packs that condemnedPacks gave and whose blobs are gone, with their chunks: any number. */
  removePacks(ids: readonly number[], rest?: Rest): Promise<void>;
  /** To be called before maintenance: what the database knows of its own size is brought up to date. */
  refreshStatistics(): Promise<void>;
  /** Runs `work` unless another process is at work of this kind; then the answer is undefined. */
  withMaintenanceLock<T>(kind: MaintenanceLock, work: () => Promise<T>): Promise<T | undefined>;

  statistics(): Promise<StoreStatistics>;
  /** How many rows a transaction may change so that nobody waits long for its end. */
  readonly batchRows: number;
  /** To be called between such transactions: waits until the database has caught up with them. */
  catchUp(): Promise<void>;
  close(): Promise<void>;
}

export interface StoreStatistics {
  readonly caches: number;
  readonly objects: number;
  readonly nars: number;
  /** Sum of NAR sizes over objects: what the store stands for. */
  readonly logicalBytes: number;
  readonly chunks: number;
  readonly packs: number;
  /** Sum of pack sizes: what it takes. */
  readonly storedBytes: number;
}
