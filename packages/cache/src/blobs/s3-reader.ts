import type { Readable } from 'node:stream';
import { FlywheelError } from '@flywheel/base';
import type { BlobReader } from './blobs.ts';
import { s3Call, type S3Context } from './s3-call.ts';

/** A download in progress: whoever reads on at `position` is served from it. */
interface Cursor {
  readonly pieces: AsyncIterator<Buffer>;
  readonly stream: Readable;
  position: number;
  /** Where its request ends. */
  readonly end: number;
  rest: Buffer;
}

/** Downloads of one pack that go on at the same time without opening new requests. */
const CURSORS = 8;

/** A request that breaks off is made again from where it broke. */
const ATTEMPTS = 4;

/**
 * How far a request reaches beyond what was asked for. A download reads its NAR in order, half a
 * megabyte at a time: one request then serves all of it up to here.
 */
const READ_AHEAD_BYTES = 64 * 1024 * 1024;

/**
 * Reads an object by ranges, and notices when somebody reads on where a former read ended: then the
 * same request goes on. A request costs tens of milliseconds on most object stores.
 */
export class S3Reader implements BlobReader {
  readonly size: number;
  readonly #context: S3Context;
  readonly #key: string;
  #cursors: Cursor[] = [];

  constructor(context: S3Context, key: string, size: number) {
    this.#context = context;
    this.#key = key;
    this.size = size;
  }

  async read(into: Uint8Array, offset: number): Promise<void> {
    if (offset + into.length > this.size) {
      throw new FlywheelError('corrupt', `${this.#key} ends at byte ${this.size}`);
    }
    let failures = 0;
    for (let filled = 0; filled < into.length;) {
      const cursor =
        this.#takeCursor(offset + filled) ??
        (await this.#open(offset + filled, into.length - filled));
      try {
        filled += await readSome(cursor, into.subarray(filled));
        this.#keep(cursor);
      } catch (cause) {
        cursor.stream.destroy();
        failures += 1;
        if (failures < ATTEMPTS) continue;
        throw new FlywheelError('unavailable', `S3: ${this.#key} broke off while it was read`, {
          cause,
        });
      }
    }
  }

  async close(): Promise<void> {
    for (const { stream } of this.#cursors) stream.destroy();
    this.#cursors = [];
  }

  /** Taken out while it is read from: two readers must not share one. */
  #takeCursor(offset: number): Cursor | undefined {
    const index = this.#cursors.findIndex((cursor) => cursor.position === offset);
    return index === -1 ? undefined : this.#cursors.splice(index, 1)[0];
  }

  #keep(cursor: Cursor): void {
    if (cursor.position === cursor.end || cursor.stream.destroyed) {
      cursor.stream.destroy();
      return;
    }
    this.#cursors.push(cursor);
    if (this.#cursors.length > CURSORS) this.#cursors.shift()?.stream.destroy();
  }

  async #open(offset: number, length: number): Promise<Cursor> {
    const { client, sdk, bucket: Bucket } = this.#context;
    const end = Math.min(this.size, offset + Math.max(length, READ_AHEAD_BYTES));
    const { Body } = await s3Call(`read ${this.#key}`, () =>
      client.send(
        new sdk.GetObjectCommand({ Bucket, Key: this.#key, Range: `bytes=${offset}-${end - 1}` }),
      ),
    );
    const stream = Body as Readable;
    // A kept stream that the store cuts must not take the process with it.
    stream.on('error', () => stream.destroy());
    const pieces = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    return { stream, pieces, position: offset, end, rest: Buffer.alloc(0) };
  }
}

/** Moves what has arrived into the buffer; waits for the next piece when nothing has. */
async function readSome(cursor: Cursor, into: Uint8Array): Promise<number> {
  if (cursor.rest.length === 0) {
    const next = await cursor.pieces.next();
    if (next.done === true) throw new FlywheelError('unavailable', 'the answer ended early');
    cursor.rest = next.value;
  }
  const piece = cursor.rest.subarray(0, into.length);
  into.set(piece);
  cursor.rest = cursor.rest.subarray(piece.length);
  cursor.position += piece.length;
  return piece.length;
}
