import { pipeline, Readable } from 'node:stream';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createZstdDecompress } from 'node:zlib';
import { FlywheelError, messageOf } from '@flywheel/base';
import type { ByteStream } from '@flywheel/base';

const SOURCE_BUFFER_BYTES = 256 * 1024;
/** With zlib's own 16 KiB, handing the pieces over took as long as zstd itself. */
const PIECE_BYTES = 256 * 1024;

/**
 * The plain bytes of a NAR's file, by the narinfo's `Compression`. zstd and gzip may be several
 * frames one after the other, zstd's skippable ones among them.
 * Throws `unsupported` for another method, `corrupt` for malformed data, and what `body` throws.
 */
export async function* decompress(
  body: ByteStream,
  compression: string,
): AsyncGenerator<Uint8Array> {
  if (compression === 'none') {
    yield* body;
    return;
  }
  const transform = decompressor(compression);
  let bodyError: { readonly error: unknown } | undefined;
  const source = Readable.from(body, { objectMode: false, highWaterMark: SOURCE_BUFFER_BYTES });
  source.once('error', (error) => {
    bodyError = { error };
  });
  const plain = pipeline(source, transform, () => {});
  try {
    yield* plain as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (bodyError !== undefined) throw bodyError.error;
    throw new FlywheelError('corrupt', `it is not valid ${compression}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function decompressor(compression: string): Transform {
  switch (compression) {
    case 'zstd':
      return createZstdDecompress({ chunkSize: PIECE_BYTES });
    case 'gzip':
      return createGunzip({ chunkSize: PIECE_BYTES });
    case 'br':
      return createBrotliDecompress({ chunkSize: PIECE_BYTES });
    default:
      throw new FlywheelError(
        'unsupported',
        `NARs compressed with ${compression} are not supported`,
        {
          details: { hint: 'none, zstd, gzip and br are; nix itself can fetch this path' },
        },
      );
  }
}
