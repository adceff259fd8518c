/**
 * Where packs live: named, immutable byte objects. A folder and S3 implement this; nothing else in
 * the cache knows which it is.
 */
export interface Blobs {
  /**
   * Starts a new blob. Nothing is visible under `key` before `commit`. Keys are chosen by the
   * store (`isBlobKey`) and never reused.
   */
  create(key: string): Promise<BlobWriter>;
  /**
   * Opens for reading; undefined when there is no such blob. Who saw its size a moment ago says so,
   * which may save a request; a blob that has gone since is `corrupt` when it is read.
   */
  open(key: string, seenSize?: number): Promise<BlobReader | undefined>;
  /** Removes a blob. One that is already gone is a success. */
  remove(key: string): Promise<void>;
  /** All committed blobs of a kind, packs unless told otherwise, in no particular order. */
  list(kind?: BlobKind): AsyncIterable<BlobEntry>;
  /**
   * Removes whatever a writer of this key may have left that ended without a word: the blob, or
   * unfinished parts of it. Nobody may be writing it any more.
   */
  discard(key: string): Promise<void>;
  /**
   * Drops what writers left unfinished that began before this many milliseconds; returns how many.
   * With 0, nobody may be writing.
   */
  removeLeftovers(olderThanMs: number): Promise<number>;
  /** Throws when blobs cannot be read or written now, as far as something cheap can tell. */
  probe(): Promise<void>;
}

/** Packs, and copies of what packs do not say: see repair/snapshot-run.ts. */
export type BlobKind = 'packs' | 'snapshots';

export interface BlobEntry {
  readonly key: string;
  readonly size: number;
  readonly modifiedMs: number;
}

export interface BlobWriter {
  /** Appends, in call order. The buffers may be reused once the promise is resolved. */
  write(pieces: readonly Uint8Array[]): Promise<void>;
  /** Makes the blob durable and visible. After this the writer is done. */
  commit(): Promise<void>;
  /** Discards everything. Safe at any time, also after a failed write or a commit. */
  abort(): Promise<void>;
}

export interface BlobReader {
  /** Size of the whole blob in bytes. */
  readonly size: number;
  /** Whether the parts of one download are better read one after the other than at once. */
  readonly ordered?: boolean;
  /**
   * Fills `into` from `offset`; throws `corrupt` when the blob is gone or ends before. Whoever is
   * going to read on says up to where, so that it need not be asked for in parts.
   */
  read(into: Uint8Array, offset: number, until?: number): Promise<void>;
  close(): Promise<void>;
}

const KEYS: Readonly<Record<BlobKind, RegExp>> = {
  packs: /^[0-9a-z]{2}\/[0-9a-z-]{8,100}\.pack$/,
  snapshots: /^snapshots\/\d{8}T\d{6}Z-[0-9a-f]{16}\.jsonl\.zst$/,
};

/**
 * Keys of packs are `<two characters>/<name>.pack`, those of snapshots `snapshots/<time>-<what is in
 * it>.jsonl.zst`; anything else in the place of storage is not ours.
 */
export function isBlobKey(text: string, kind?: BlobKind): boolean {
  if (kind !== undefined) return KEYS[kind].test(text);
  return KEYS.packs.test(text) || KEYS.snapshots.test(text);
}
