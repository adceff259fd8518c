/** A path of a cache, as it is listed. */
export interface ListedPath {
  readonly storePathHash: string;
  readonly storePath: string;
  readonly narSize: number;
  /** What a download transfers. */
  readonly fileSize: number;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly createdBy: string | undefined;
  /** How many other paths it names, itself perhaps among them. */
  readonly references: number;
  /** Its bytes are known to be incomplete: absent for clients until it is pushed again. */
  readonly isDamaged: boolean;
}

/** The newest, the last used, the largest first; or by name. */
export const PATH_ORDERS = ['created', 'used', 'size', 'name'] as const;
export type PathOrder = (typeof PATH_ORDERS)[number];

export interface PathQuery {
  readonly cacheId: number;
  /** Of the cache; names begin after it. */
  readonly storeDir: string;
  /** A part of the name, in any case, or the start of the hash. */
  readonly search?: string | undefined;
  readonly order: PathOrder;
  /** The last path of the page before: its value of the order, and its hash. */
  readonly after?: { readonly value: string | number; readonly hash: string } | undefined;
  readonly limit: number;
}

export type RemovedPath =
  | { readonly removed: string }
  /** Nothing was done: some of the paths that refer to it, or of the pins that keep it. */
  | { readonly neededBy: readonly string[] }
  | { readonly pinnedBy: readonly string[] };

export interface CacheFigures {
  readonly paths: number;
  /** Sums over its paths, before anything is shared. */
  readonly narBytes: number;
  readonly fileBytes: number;
}

/** What people and their tools want to know of the paths of a cache. */
export interface PathRecords {
  listPaths(query: PathQuery): Promise<readonly ListedPath[]>;
  /**
   * Takes a path out of its cache; its bytes are left to `reclaim`. Unless forced, not while other
   * paths of the cache refer to it or a pin keeps it. Undefined when absent. A push of such a path at the same time is
   * not noticed, as it would not be a moment later.
   */
  removePath(
    cacheId: number,
    storePathHash: string,
    options: { readonly force: boolean },
  ): Promise<RemovedPath | undefined>;
  /** By id; a cache without paths is not among them. Reads all objects. */
  cacheFigures(): Promise<ReadonlyMap<number, CacheFigures>>;
}

/** What a migration runs: the order in which lists begin. */
export const PATH_INDEXES: readonly string[] = [
  `create index object_created on object (cache_id, created_at, store_path_hash)`,
];
