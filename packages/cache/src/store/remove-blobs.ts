import type { Blobs } from '../blobs/blobs.ts';

/** An object store answers each removal after tens of milliseconds, but many at once. */
const AT_ONCE = 16;

/** Removes them all, several at a time. Those that are gone already are a success. */
export async function removeBlobs(
  blobs: Pick<Blobs, 'remove'>,
  keys: readonly string[],
): Promise<void> {
  await forEachAtOnce(keys, (key) => blobs.remove(key));
}

/** Removes whatever writers of these keys have left, several at a time. See `Blobs.discard`. */
export async function discardBlobs(
  blobs: Pick<Blobs, 'discard'>,
  keys: readonly string[],
): Promise<void> {
  await forEachAtOnce(keys, (key) => blobs.discard(key));
}

async function forEachAtOnce(
  keys: readonly string[],
  work: (key: string) => Promise<void>,
): Promise<void> {
  const rest = keys.values();
  const worker = async (): Promise<void> => {
    for (const key of rest) await work(key);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, keys.length) }, worker));
}
