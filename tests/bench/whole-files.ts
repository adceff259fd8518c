import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import type { PreparedNar } from './workload.ts';

/**
 * The bytes that NARs take as one zstd file each, at zstd's own level 3: what a cache stores that
 * takes what `nix copy` compresses, as it is.
 */
export async function wholeFileBytes(nars: readonly PreparedNar[]): Promise<number> {
  let bytes = 0;
  for (const { narFile } of nars) {
    await pipeline(createReadStream(narFile), createZstdCompress(), async (pieces) => {
      for await (const piece of pieces as AsyncIterable<Buffer>) bytes += piece.length;
    });
  }
  return bytes;
}
