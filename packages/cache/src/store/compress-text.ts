import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';

const compress = promisify(zstdCompress);

/**
 * All of a text as one zstd frame, made in libuv's threads. Its size is pledged: zstd would otherwise
 * set up for one without end, with 3 MiB for each text under way.
 */
export async function compressText(text: string | Uint8Array): Promise<Buffer> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return compress(bytes, { pledgedSrcSize: bytes.length });
}
