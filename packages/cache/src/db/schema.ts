import type { Generated, Selectable } from 'kysely';
import type { BuildLogTable, RealisationTable } from './build-records.ts';
import type { AuditTable, RevocationTable, TokenTable } from './identity-tables.ts';

// One typed schema for SQLite and PostgreSQL. Hashes are raw bytes; times are milliseconds since
// the epoch; booleans are 0 or 1; lists are JSON text.

export interface CacheTable {
  id: Generated<number>;
  name: string;
  /** Nix secret key, `name:base64`. */
  secret_key: string;
  is_public: number;
  store_dir: string;
  priority: number;
  upstream_cache_key_names: string;
  /** Seconds; null means the server's own period. */
  retention_period: number | null;
  /** Bytes; null means none. */
  quota_bytes: Generated<number | null>;
  /** Grows with every pin that is set, under the lock of this row. */
  pins_version: Generated<number>;
  created_at: number;
  /** JSON, see Upstream. */
  upstreams: Generated<string>;
}

/** A store path in a cache: what its narinfo says. */
export interface ObjectTable {
  cache_id: number;
  store_path_hash: string;
  store_path: string;
  nar_id: number;
  /** Base names, sorted. */
  references: string;
  deriver: string | null;
  system: string | null;
  sigs: string;
  ca: string | null;
  created_at: number;
  last_used_at: number;
  created_by: string | null;
  /**
   * Set when retention has found it expired, before it removes it: from then on it is reported
   * missing to who pushes, and any use or push takes the mark away.
   */
  doomed_at: Generated<number | null>;
}

/** A NAR, shared by all caches: where its bytes are. */
export interface NarTable {
  id: Generated<number>;
  hash: Uint8Array;
  size: number;
  /** Bytes of all segments together: what a download transfers. */
  file_size: number;
  segments: string;
  /** 1 when a pack it needs was found missing or damaged: reported absent until pushed again. */
  damaged: number;
  created_at: number;
}

export interface PackTable {
  id: Generated<number>;
  key: string;
  size: number;
  /** Set when nothing refers to it any more; it is deleted once no older upload can be using it. */
  condemned_at: number | null;
  /**
   * 1 when its blob is damaged, or about to be removed: nothing may refer to it any more. Checked
   * under a lock on the row, so it holds whatever the clocks of several processes say.
   */
  lost: Generated<number>;
  /** Until then it stays although it is condemned: its NARs have moved, readers may be at it. */
  keep_until: Generated<number | null>;
  created_at: number;
}

/** A pack that has lost a NAR while others remain: repacking may be worth it. */
export interface SparsePackTable {
  pack_id: number;
  noted_at: number;
}

/** Which packs a NAR's segments lie in. */
export interface NarPackTable {
  nar_id: number;
  pack_id: number;
}

/** Where a chunk's frame is. */
export interface ChunkTable {
  hash: Uint8Array;
  pack_id: number;
  offset: number;
  length: number;
  /** Bytes of plain NAR. */
  size: number;
}

/** An upload in progress. What it relies on is kept while the lease has not expired. */
export interface LeaseTable {
  id: string;
  started_at: number;
  expires_at: number;
  /** 1 when it ended without a commit, by its upload or by time: it commits nothing any more. */
  dead: Generated<number>;
  /** The NAR that a deduplicated upload is about to refer to. */
  nar_id: number | null;
}

/** A NAR that `nix copy` has put and not yet described by a narinfo. */
export interface StagedNarTable {
  cache_id: number;
  file_name: string;
  nar_id: number;
  expires_at: number;
}

/** The `.ls` listing of a NAR, zstd-compressed JSON. */
export interface ListingTable {
  nar_id: number;
  body: Uint8Array;
}

/** A name under which revisions of a path are kept with their closures. */
export interface PinTable {
  id: Generated<number>;
  cache_id: number;
  name: string;
  keep_revisions: number;
  /** Revisions younger than this are kept as well. */
  keep_seconds: number | null;
  /** The number of the latest revision. */
  latest: number;
}

export interface PinRevisionTable {
  pin_id: number;
  store_path_hash: string;
  store_path: string;
  revision: number;
  created_at: number;
  created_by: string | null;
}

/** Maintenance that was asked for, is under way, or was done. */
export interface RunTable {
  id: Generated<number>;
  kind: string;
  /** JSON, as are `progress` and `result`. */
  options: string;
  /** Null: nobody, it was due. */
  requested_by: string | null;
  requested_at: number;
  state: string;
  /** How often it was taken up. */
  attempts: Generated<number>;
  started_at: Generated<number | null>;
  heartbeat_at: Generated<number | null>;
  finished_at: Generated<number | null>;
  progress: Generated<string | null>;
  result: Generated<string | null>;
  error: Generated<string | null>;
}

/** Storage of Attic's server that was taken over. */
export interface AtticPlaceTable {
  id: Generated<number>;
  /** JSON, see AtticLocation. */
  location: string;
  created_at: number;
  /** Until it is set, nothing in there is removed. */
  finished_at: Generated<number | null>;
  /** Set when nothing is left of it that could be copied into packs of ours. */
  gathered_at: Generated<number | null>;
}

export interface Schema {
  cache: CacheTable;
  object: ObjectTable;
  nar: NarTable;
  pack: PackTable;
  nar_pack: NarPackTable;
  chunk: ChunkTable;
  lease: LeaseTable;
  staged_nar: StagedNarTable;
  listing: ListingTable;
  token: TokenTable;
  revocation: RevocationTable;
  audit: AuditTable;
  sparse_pack: SparsePackTable;
  pin: PinTable;
  pin_revision: PinRevisionTable;
  run: RunTable;
  build_log: BuildLogTable;
  realisation: RealisationTable;
  attic_place: AtticPlaceTable;
}

export type CacheRow = Selectable<CacheTable>;
export type NarRow = Selectable<NarTable>;
