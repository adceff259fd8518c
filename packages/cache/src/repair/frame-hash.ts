import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import type { BlobReader } from '../blobs/blobs.ts';
import type { ByteRate } from './byte-rate.ts';

const PIECE_BYTES = 1024 * 1024;

/**
 * SHA-256 of what a whole blob decompresses to; undefined when it does not. Throws when it cannot be
 * read. Memory is bounded: a chunk of Attic may be a whole NAR.
 */
export async function frameHash(reader: BlobReader, rate: ByteRate): Promise<Buffer | undefined> {
  let failure: unknown;
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < reader.size; at += PIECE_BYTES) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, reader.size - at));
      try {
        await rate.spend(piece.length);
        await reader.read(piece, at, reader.size);
      } catch (error) {
        failure = error;
        throw error;
      }
      yield piece;
    }
  }
  const hash = createHash('sha256');
  try {
    await pipeline(
      Readable.from(pieces()),
      createZstdDecompress(),
      async (plain: AsyncIterable<Buffer>) => {
        for await (const piece of plain) hash.update(piece);
      },
    );
    return hash.digest();
  } catch {
    if (failure !== undefined) throw failure;
    return undefined;
  }
}
