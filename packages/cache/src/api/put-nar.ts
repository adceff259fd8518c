import { createHash } from 'node:crypto';
import { FlywheelError, freeingPieces, type ByteStream } from '@flywheel/base';
import { encodeBase32 } from '@flywheel/nix';
import { decompress, detectCompression, MAGIC_BYTES } from '../store/decompress.ts';
import { countUpload } from '../metrics/figures.ts';
import { ingestNar } from '../store/ingest-nar.ts';
import { withUpload } from '../store/with-upload.ts';
import { authorize } from './authorize.ts';
import { wireError } from './error-response.ts';
import type { ApiParts } from './parts.ts';
import { awaitUploadAllowance } from './rate-limit.ts';
import { bodyOf } from './request-body.ts';
import type { Handler } from './router.ts';
import { fileHashOf } from './staged-nar.ts';

/**
 * PUT /{cache}/nar/{file hash}.nar[.xz|…]: the first half of `nix copy --to`. The NAR goes into the
 * store like any other, recompressed and deduplicated, and waits under this name for the narinfo
 * that says which path it is.
 */
export function putNar(parts: ApiParts): Handler {
  return async (c) => {
    const file = c.param('file');
    const fileHash = fileHashOf(file);
    if (fileHash === undefined) throw wireError('NotFound');
    const { cache } = await authorize(parts, c, c.param('cache'), 'push');
    await awaitUploadAllowance(parts, c);
    const { nar, deduplicated } = await parts.uploads.run(() =>
      withUpload(parts.store.metadata, undefined, ({ lease }) =>
        ingestNar(parts.store, {
          body: freeingPieces(plainNar(bodyOf(c), file, fileHash)),
          lease,
          origin: JSON.stringify({ cache: cache.name, file }),
          use: { staged: { cacheId: cache.id, fileName: file } },
        }),
      ),
    );
    countUpload(parts.figures, 'staged', nar.size, deduplicated);
    return c.body(null, 201);
  };
}

async function* plainNar(
  body: ByteStream,
  file: string,
  fileHash: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  const { start, all } = await peek(body, MAGIC_BYTES);
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const piece of all) {
      hash.update(piece);
      yield piece;
    }
  }
  yield* decompress(hashed(), detectCompression(start, file));
  if (encodeBase32(hash.digest()) !== fileHash) {
    throw new FlywheelError(
      'invalid-input',
      `the body of ${file} does not have the SHA-256 in its name`,
    );
  }
}

/** The first bytes of a stream, and the whole stream all the same. */
async function peek(
  body: ByteStream,
  bytes: number,
): Promise<{ start: Buffer; all: AsyncGenerator<Uint8Array> }> {
  const iterator = (async function* pieces() {
    yield* body;
  })();
  let start = Buffer.alloc(0);
  while (start.length < bytes) {
    const next = await iterator.next();
    if (next.done === true) break;
    start = Buffer.concat([start, next.value]);
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield start;
    yield* iterator;
  }
  return { start, all: all() };
}
