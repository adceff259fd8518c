import type { Transform } from 'node:stream';
import { createDecompressStream } from '@napi-rs/lzma/xz';

export function createXzDecompress(): Transform {
  return createDecompressStream() as Transform;
}
