import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import type { Nar } from '../db/metadata.ts';
import type { NarStore } from '../store/nar-store.ts';
import { openNar } from '../store/open-nar.ts';
import type { ByteRate } from './byte-rate.ts';

const PIECE_BYTES = 1024 * 1024;

/**
 * Whether the stored bytes of a NAR decompress to what its hash and size say. Throws `corrupt`
 * when a pack of it is missing (see OpenPacks).
 */
export async function isNarIntact(store: NarStore, nar: Nar, rate: ByteRate): Promise<boolean> {
  const open = await openNar(store, nar, { start: 0, end: nar.fileSize });
  let failure: unknown;
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < nar.fileSize; at += PIECE_BYTES) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, nar.fileSize - at));
      try {
        await rate.spend(piece.length);
        await open.read(piece, at);
      } catch (error) {
        failure = error;
        throw error;
      }
      yield piece;
    }
  }
  const hash = createHash('sha256');
  let size = 0;
  try {
    await pipeline(
      Readable.from(pieces()),
      createZstdDecompress(),
      async (plain: AsyncIterable<Buffer>) => {
        for await (const piece of plain) {
          hash.update(piece);
          size += piece.length;
        }
      },
    );
  } catch {
    // It does not decompress, unless it could not be read.
    if (failure !== undefined) throw failure;
    return false;
  }
  return size === nar.size && hash.digest().equals(nar.hash);
}
