/** What a content-addressed derivation turned out to be: nix's realisation. */
export interface Realisation {
  /** `sha256:<64 hex digits>!<output>`. */
  readonly id: string;
  readonly outPathHash: string;
  /** JSON without signatures, just as Nix signs it. */
  readonly content: string;
  readonly sigs: readonly string[];
}

/** What a build leaves beside its outputs, for each cache by itself. */
export interface BuildRecords {
  /** Creates or replaces. `drv` is a base name, `body` is compressed with zstd. */
  putLog(cacheId: number, drv: string, body: Buffer): Promise<void>;
  /** Reading counts as use, to about a day. */
  findLog(cacheId: number, drv: string): Promise<Buffer | undefined>;
  /** Forgets up to `limit` logs that were neither put nor read since a time; how many. */
  removeLogs(unusedSince: number, limit: number): Promise<number>;

  /** Creates or replaces; signatures of the same content come together, up to `maxSignatures`. */
  putRealisation(cacheId: number, realisation: Realisation, maxSignatures: number): Promise<void>;
  findRealisation(cacheId: number, id: string): Promise<Realisation | undefined>;
  /**
   * Forgets up to `limit` realisations put before a time whose paths their caches do not have; how
   * many.
   */
  removeRealisations(putBefore: number, limit: number): Promise<number>;
}

export interface BuildLogTable {
  cache_id: number;
  drv: string;
  body: Uint8Array;
  created_at: number;
  last_used_at: number;
}

export interface RealisationTable {
  cache_id: number;
  id: string;
  out_path_hash: string;
  content: string;
  /** JSON. */
  sigs: string;
  created_at: number;
}

/** What a migration runs. */
export const BUILD_TABLES: readonly string[] = [
  `create table build_log (
     cache_id integer not null references cache (id) on delete cascade,
     drv text not null,
     body blob not null,
     created_at integer not null,
     last_used_at integer not null,
     primary key (cache_id, drv))`,
  `create index build_log_used on build_log (last_used_at)`,
  `create table realisation (
     cache_id integer not null references cache (id) on delete cascade,
     id text not null,
     out_path_hash text not null,
     content text not null,
     sigs text not null,
     created_at integer not null,
     primary key (cache_id, id)) without rowid`,
];
