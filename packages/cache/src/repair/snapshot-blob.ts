import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { FlywheelError, isFlywheelError } from '@flywheel/base';
import type { BlobReader, Blobs } from '../blobs/blobs.ts';

const PIECE_BYTES = 256 * 1024;

/** Writes lines as one zstd frame with a checksum. All of it becomes visible, or nothing. */
export async function writeSnapshotBlob(
  blobs: Pick<Blobs, 'create'>,
  key: string,
  lines: AsyncIterable<string>,
): Promise<void> {
  const writer = await blobs.create(key);
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  try {
    await pipeline(lines, compress, async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) await writer.write([piece]);
    });
    await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** The lines of a snapshot. Throws `corrupt` where it is damaged, which may be at its end. */
export async function* readSnapshotBlob(
  blobs: Pick<Blobs, 'open'>,
  key: string,
): AsyncGenerator<string> {
  const reader = await blobs.open(key);
  if (reader === undefined) throw new FlywheelError('corrupt', `${key} is gone`);
  try {
    const plain = createZstdDecompress();
    // Its failure is that of the loop.
    pipeline(Readable.from(pieces(reader)), plain).catch(() => {});
    let rest = '';
    for await (const text of plain.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (cause) {
    if (isFlywheelError(cause)) throw cause;
    throw new FlywheelError('corrupt', `the snapshot ${key} is damaged`, { cause });
  } finally {
    await reader.close();
  }
}

async function* pieces(reader: BlobReader): AsyncGenerator<Buffer> {
  for (let at = 0; at < reader.size; at += PIECE_BYTES) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, reader.size - at));
    await reader.read(piece, at, reader.size);
    yield piece;
  }
}
