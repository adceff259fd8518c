import type { Nar } from '../db/metadata.ts';
import type { NarStore } from '../store/nar-store.ts';
import { openNar } from '../store/open-nar.ts';
import { plainDigest } from '../store/plain-digest.ts';
import type { ByteRate } from './byte-rate.ts';

const PIECE_BYTES = 1024 * 1024;

/**
 * Whether the stored bytes of a NAR decompress to what its hash and size say. Throws `corrupt`
 * when a pack of it is missing (see OpenPacks).
 */
export async function isNarIntact(store: NarStore, nar: Nar, rate: ByteRate): Promise<boolean> {
  const open = await openNar(store, nar, { start: 0, end: nar.fileSize });
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < nar.fileSize; at += PIECE_BYTES) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, nar.fileSize - at));
      await rate.spend(piece.length);
      await open.read(piece, at);
      yield piece;
    }
  }
  const plain = await plainDigest(pieces());
  return plain?.size === nar.size && plain.hash.equals(nar.hash);
}
