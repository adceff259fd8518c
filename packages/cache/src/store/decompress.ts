import { pipeline, Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createZstdDecompress } from 'node:zlib';
import { FlywheelError, messageOf, type ByteStream } from '@flywheel/base';

export type Compression = 'none' | 'xz' | 'bzip2' | 'zstd' | 'gzip' | 'br';

const MAGIC: readonly (readonly [Compression, Buffer])[] = [
  ['xz', Buffer.from('fd377a585a00', 'hex')],
  ['bzip2', Buffer.from('BZh', 'latin1')],
  ['zstd', Buffer.from('28b52ffd', 'hex')],
  ['gzip', Buffer.from('1f8b', 'hex')],
  // A NAR begins with the length-prefixed string "nix-archive-1".
  ['none', Buffer.from('0d000000000000006e69782d61726368', 'hex')],
];

/** Bytes that `detectCompression` wants to see. */
export const MAGIC_BYTES = 16;

/**
 * What a NAR file is compressed with, by its first bytes: Nix names only some methods in the URL.
 * Brotli has no magic number; it is believed when the file name says so.
 */
export function detectCompression(start: Uint8Array, fileName: string): Compression {
  for (const [compression, magic] of MAGIC) {
    if (Buffer.compare(start.subarray(0, magic.length), magic) === 0) return compression;
  }
  if (fileName.endsWith('.br')) return 'br';
  throw new FlywheelError(
    'unsupported',
    `${fileName} is neither a NAR nor compressed with xz, bzip2, zstd, gzip or br`,
    { details: { hint: 'add ?compression=zstd to the URL of nix copy --to' } },
  );
}

/** The plain bytes. A body that does not decompress is `invalid-input`. */
export async function* decompress(
  body: ByteStream,
  compression: Compression,
): AsyncGenerator<Uint8Array> {
  if (compression === 'none') {
    yield* body;
    return;
  }
  if (compression === 'xz') {
    // Loaded when first wanted, as bzip2 is: neither belongs into the start of the server.
    yield* (await import('./xz.ts')).decompressXz(body);
    return;
  }
  const source = Readable.from(body, { objectMode: false, highWaterMark: 256 * 1024 });
  let sourceError: unknown;
  source.once('error', (error) => {
    sourceError = error;
  });
  const plain = pipeline(source, await DECOMPRESSORS[compression](), () => {});
  try {
    yield* plain as AsyncIterable<Buffer>;
  } catch (cause) {
    if (sourceError !== undefined) throw sourceError;
    throw new FlywheelError(
      'invalid-input',
      `the body is not valid ${compression}: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
}

/** Node's default of 16 KiB doubles the CPU that zstd takes. */
const OUTPUT_BYTES = 256 * 1024;

const DECOMPRESSORS: Readonly<
  Record<Exclude<Compression, 'none' | 'xz'>, () => Transform | Promise<Transform>>
> = {
  zstd: () => createZstdDecompress({ chunkSize: OUTPUT_BYTES }),
  gzip: () => createGunzip({ chunkSize: OUTPUT_BYTES }),
  br: () => createBrotliDecompress({ chunkSize: OUTPUT_BYTES }),
  bzip2: async () => (await import('./bzip2.ts')).createBzip2Decompress(),
};
