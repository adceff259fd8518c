import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';

export interface PlainDigest {
  readonly hash: Buffer;
  readonly size: number;
}

/**
 * SHA-256 and size of what zstd frames decompress to, in bounded memory; undefined when they do not.
 * Throws what the source throws.
 */
export async function plainDigest(
  compressed: Iterable<Buffer> | AsyncIterable<Buffer>,
): Promise<PlainDigest | undefined> {
  let failure: unknown;
  async function* pieces(): AsyncGenerator<Buffer> {
    try {
      yield* compressed;
    } catch (error) {
      failure = error;
      throw error;
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
    if (failure !== undefined) throw failure;
    return undefined;
  }
  return { hash: hash.digest(), size };
}
