// The tables of Attic's server, as far as they are read. It makes them on SQLite and PostgreSQL with
// different types: booleans are numbers there, times and JSON are text.

interface CacheTable {
  id: number;
  name: string;
  /** `name:base64`, in clear. */
  keypair: string;
  is_public: number | boolean;
  store_dir: string;
  priority: number;
  upstream_cache_key_names: unknown;
  deleted_at: unknown;
  /** Seconds; null means the server's own period. */
  retention_period: number | null;
}

interface ObjectTable {
  id: number;
  cache_id: number;
  nar_id: number;
  store_path_hash: string;
  store_path: string;
  references: unknown;
  system: string | null;
  deriver: string | null;
  sigs: unknown;
  ca: string | null;
  created_at: unknown;
  last_accessed_at: unknown;
  created_by: string | null;
}

interface NarTable {
  id: number;
  /** V valid, P pending upload, D deleted. */
  state: string;
  /** `sha256:` and hex. */
  nar_hash: string;
  nar_size: number;
  compression: string;
  num_chunks: number;
}

interface ChunkTable {
  id: number;
  state: string;
  /** Of the plain chunk, which all over the server may exist several times. */
  chunk_hash: string;
  chunk_size: number;
  /** Of the compressed chunk; null until it is uploaded. */
  file_size: number | null;
  compression: string;
  /** JSON: where the object is. */
  remote_file: unknown;
  created_at: unknown;
}

interface ChunkRefTable {
  id: number;
  nar_id: number;
  seq: number;
  /** Null when the chunk was deleted from under the NAR. */
  chunk_id: number | null;
}

export interface AtticTables {
  cache: CacheTable;
  object: ObjectTable;
  nar: NarTable;
  chunk: ChunkTable;
  chunkref: ChunkRefTable;
}
