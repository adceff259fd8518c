import { isFlywheelError, messageOf } from '@flywheel/base';
import type { AtticObjects } from '../blobs/attic-objects.ts';
import type { AtticPath } from '../db/attic-paths.ts';
import { decompress, type Compression } from '../store/decompress.ts';
import { ingestNar } from '../store/ingest-nar.ts';
import { withUpload } from '../store/with-upload.ts';
import type { NarPart } from './judge-nar.ts';
import type { Ours } from './takeover.ts';

/** In the database; its configuration says `brotli`. */
const COMPRESSIONS: Readonly<Record<string, Compression>> = {
  none: 'none',
  zstd: 'zstd',
  xz: 'xz',
  br: 'br',
  brotli: 'br',
};

const PIECE_BYTES = 256 * 1024;

/**
 * Stores the NAR of a path as a push would: hash and size are checked. Returns what is wrong with it,
 * if anything; then nothing was done.
 */
export async function copyNar(
  { rows, store }: Ours,
  objects: AtticObjects,
  { path, cache, narSize }: { path: AtticPath; cache: string; narSize: number },
  parts: readonly NarPart[],
): Promise<string | undefined> {
  const unknown = parts.find(({ compression }) => COMPRESSIONS[compression] === undefined);
  if (unknown !== undefined) return `its NAR is compressed with ${unknown.compression}`;
  const { cacheId, storePathHash, storePath, references, sigs } = path;
  const object = {
    cacheId,
    storePathHash,
    storePath,
    references,
    deriver: path.deriver ?? undefined,
    system: path.system ?? undefined,
    sigs,
    ca: path.ca ?? undefined,
    createdBy: path.createdBy ?? undefined,
  };
  try {
    await withUpload(store.metadata, undefined, ({ lease }) =>
      ingestNar(store, {
        body: plainNar(objects, parts),
        lease,
        expected: { hash: path.narHash, size: narSize },
        // As api/upload-path.ts writes it.
        origin: JSON.stringify({ ...object, cacheId: undefined, cache }),
        use: { object, onlyIfAbsent: true },
      }),
    );
  } catch (error) {
    // Its bytes are not what its hash says, do not decompress, or are gone.
    if (isFlywheelError(error, 'invalid-input') || isFlywheelError(error, 'corrupt')) {
      return messageOf(error);
    }
    throw error;
  }
  await rows.datePath(path);
  return undefined;
}

async function* plainNar(
  objects: AtticObjects,
  parts: readonly NarPart[],
): AsyncGenerator<Uint8Array> {
  for (const { name, compression } of parts) {
    yield* decompress(bytesOf(objects, name), COMPRESSIONS[compression] ?? 'none');
  }
}

async function* bytesOf(objects: AtticObjects, name: string): AsyncGenerator<Buffer> {
  const reader = await objects.open(name);
  if (reader === undefined) return;
  try {
    for (let at = 0; at < reader.size; at += PIECE_BYTES) {
      const piece = Buffer.alloc(Math.min(PIECE_BYTES, reader.size - at));
      await reader.read(piece, at, reader.size);
      yield piece;
    }
  } finally {
    await reader.close();
  }
}
