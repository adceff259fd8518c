import type { AtticLocation } from '../blobs/attic-place.ts';
import type { AtticObjects } from '../blobs/attic-objects.ts';
import type { Cache } from '../db/metadata.ts';
import type { AtticRows } from '../db/attic-rows.ts';
import type { NarStore } from '../store/nar-store.ts';
import type { AtticDatabase } from './attic-database.ts';
import { remoteFileOf } from './attic-values.ts';
import { isAtticObject } from '../blobs/attic-place.ts';

/** A path that is not taken over, and why. */
export interface LeftOut {
  readonly cache: string;
  readonly storePath: string;
  readonly reason: string;
}

/** What was found and done so far. */
export interface TakeoverTally {
  readonly caches: string[];
  /** Were there before under the same name with another signing key, which they keep. */
  readonly otherKeys: string[];
  /** Objects of Attic that hold a valid zstd chunk, and their bytes. */
  objects: number;
  bytes: number;
  /** Of these, those that were not known before. */
  newObjects: number;
  /** Chunks that were never uploaded completely, or were about to be deleted. */
  unfinishedChunks: number;
  /** Paths that were there already, and that came: in place, and as a copy. */
  knownPaths: number;
  newPaths: number;
  copiedPaths: number;
  readonly leftOut: LeftOut[];
}

export function newTally(): TakeoverTally {
  return {
    caches: [],
    otherKeys: [],
    objects: 0,
    bytes: 0,
    newObjects: 0,
    unfinishedChunks: 0,
    knownPaths: 0,
    newPaths: 0,
    copiedPaths: 0,
    leftOut: [],
  };
}

/** Where what is taken over goes. */
export interface Ours {
  readonly place: number;
  readonly rows: AtticRows;
  readonly store: NarStore;
  /** By name. */
  readonly caches: Map<string, Cache>;
}

/** A takeover under way. */
export interface Takeover {
  readonly attic: AtticDatabase;
  readonly objects: AtticObjects;
  readonly location: AtticLocation;
  /** Undefined when nothing is to be written. */
  readonly ours: Ours | undefined;
  readonly tally: TakeoverTally;
  /** What is wrong with objects of valid chunks, by their names. */
  readonly faults: Map<string, string>;
  readonly signal: AbortSignal;
  readonly report: (progress: { step: string; done: number; of: number }) => void;
}

/** The object of a chunk as far as it lies in the place that is taken over; else why not. */
export function objectOf(
  { location }: Takeover,
  remoteFile: unknown,
): { readonly name: string } | { readonly reason: string } {
  const remote = remoteFileOf(remoteFile);
  if (remote === undefined) return { reason: 'a chunk has no place' };
  const { name } = remote;
  if (remote.kind !== location.kind) return { reason: `${name} is in a ${NOUN[remote.kind]}` };
  if (remote.kind === 's3' && location.kind === 's3' && remote.bucket !== location.bucket) {
    return { reason: `${name} is in the bucket ${remote.bucket}` };
  }
  return isAtticObject(name) ? { name } : { reason: `${JSON.stringify(name)} is no name of Attic` };
}

const NOUN = { folder: 'folder', s3: 'bucket' } as const;

/** As the database says it; Attic's configuration and narinfos have other words for some. */
export function isZstd(compression: string | null): boolean {
  return compression === 'zstd';
}
