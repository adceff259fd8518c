import type { Readable } from 'node:stream';
import { FlywheelError } from '@flywheel/base';
import type { BlobReader } from './blobs.ts';
import { readSome, skipTo, type Download } from './open-downloads.ts';
import { ifPresent, type S3Context } from './s3-call.ts';

/** A request that breaks off is made again from where it broke. */
const ATTEMPTS = 4;

/** Over so much it is cheaper to read on than to ask anew, which costs tens of milliseconds. */
export const SKIP_BYTES = 256 * 1024;

type ReadContext = Pick<S3Context, 'bucket' | 'client' | 'downloads' | 'sdk'>;

/**
 * Reads an object by ranges, and notices when somebody reads on where a former read ended: then the
 * same request goes on.
 */
export class S3Reader implements BlobReader {
  readonly size: number;
  readonly ordered = true;
  readonly #context: ReadContext;
  readonly #key: string;

  constructor(context: ReadContext, key: string, size: number) {
    this.#context = context;
    this.#key = key;
    this.size = size;
  }

  async read(into: Uint8Array, offset: number, until = offset + into.length): Promise<void> {
    if (offset + into.length > this.size) {
      throw new FlywheelError('corrupt', `${this.#key} ends at byte ${this.size}`);
    }
    const { downloads } = this.#context;
    let failures = 0;
    for (let filled = 0; filled < into.length;) {
      const at = offset + filled;
      const download =
        downloads.take(this.#key, at, SKIP_BYTES) ??
        (await this.#open(at, Math.min(until, this.size)));
      try {
        await skipTo(download, at);
        filled += await readSome(download, into.subarray(filled));
        downloads.keep(download);
      } catch (cause) {
        download.stream.destroy();
        failures += 1;
        if (failures < ATTEMPTS) continue;
        throw new FlywheelError('unavailable', `S3: ${this.#key} broke off while it was read`, {
          cause,
        });
      }
    }
  }

  async close(): Promise<void> {
    this.#context.downloads.drop(this.#key);
  }

  async #open(offset: number, end: number): Promise<Download> {
    const { client, sdk, bucket: Bucket } = this.#context;
    const key = this.#key;
    const answer = await ifPresent(`read ${key}`, () =>
      client.send(
        new sdk.GetObjectCommand({ Bucket, Key: key, Range: `bytes=${offset}-${end - 1}` }),
      ),
    );
    if (answer === undefined) throw new FlywheelError('corrupt', `S3: ${key} is gone`);
    const stream = answer.Body as Readable;
    // A kept stream that the store cuts must not take the process with it.
    stream.on('error', () => stream.destroy());
    if (answer.ContentLength !== end - offset) {
      stream.destroy();
      throw new FlywheelError(
        'unavailable',
        `S3: asked for ${end - offset} bytes of ${key}, got ${answer.ContentLength}`,
        { details: { hint: 'does a proxy before the object store drop the header Range?' } },
      );
    }
    const pieces = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    return { key, stream, pieces, position: offset, end, rest: Buffer.alloc(0) };
  }
}
