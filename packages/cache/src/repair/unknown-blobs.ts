import type { BlobEntry } from '../blobs/blobs.ts';
import type { NarStore } from '../store/nar-store.ts';
import { leaseOfPackKey } from '../store/pack-key.ts';
import { removeBlobs } from '../store/remove-blobs.ts';
import type { ScrubFound } from './scrub-tally.ts';

export type UnknownBlobs = NonNullable<ScrubFound['unknown']>;

/** No upload takes as long between the end of its pack and its commit. */
const SETTLED_MS = 24 * 3600 * 1000;
const BATCH = 1000;
const EXAMPLES = 20;

/**
 * Packs that the database does not know. Removed only on request, and never when there are more of
 * them than of those that it knows: then it is the database that has lost something.
 */
export async function findUnknownBlobs(
  { metadata, blobs }: Pick<NarStore, 'metadata' | 'blobs'>,
  { remove, signal }: { readonly remove: boolean; readonly signal: AbortSignal },
): Promise<UnknownBlobs> {
  const before = (await metadata.currentTime()) - SETTLED_MS;
  const unknown: BlobEntry[] = [];
  let known = 0;

  async function sort(batch: readonly BlobEntry[]): Promise<void> {
    signal.throwIfAborted();
    const rows = await metadata.knownPackKeys(batch.map(({ key }) => key));
    known += rows.size;
    const old = batch.filter(({ key, modifiedMs }) => !rows.has(key) && modifiedMs < before);
    const live = await metadata.liveLeases(old.map(({ key }) => leaseOfPackKey(key)));
    unknown.push(...old.filter(({ key }) => !live.has(leaseOfPackKey(key))));
  }

  let batch: BlobEntry[] = [];
  for await (const entry of blobs.list()) {
    if (batch.push(entry) < BATCH) continue;
    await sort(batch);
    batch = [];
  }
  await sort(batch);

  const keys = unknown.map(({ key }) => key);
  const mayRemove = remove && unknown.length <= known;
  if (mayRemove) await removeBlobs(blobs, keys);
  return {
    blobs: unknown.length,
    bytes: unknown.reduce((sum, { size }) => sum + size, 0),
    removed: mayRemove ? unknown.length : 0,
    examples: keys.slice(0, EXAMPLES),
    ...(remove && !mayRemove
      ? { kept_because: `the database knows only ${known} packs; is it the right one?` }
      : {}),
  };
}
