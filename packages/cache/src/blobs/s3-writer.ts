import { FlywheelError } from '@flywheel/base';
import type { BlobWriter } from './blobs.ts';
import type { PartBuffer } from './part-buffers.ts';
import { ifPresent, s3Call, type S3Context } from './s3-call.ts';

/** Up to here a blob is kept in pieces of its own size: most packs are smaller than a part. */
const SMALL_BYTES = 512 * 1024;

/** What S3 takes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;

const TYPE = 'application/zstd';

/**
 * Writes one object: a small one with a single PUT, a large one in parts, each sent while the next
 * one fills. Nothing is visible before `commit`, which is S3's own atomic step.
 */
export class S3Writer implements BlobWriter {
  readonly #context: S3Context;
  readonly #key: string;
  readonly #parts: Promise<{ PartNumber: number; ETag: string | undefined }>[] = [];
  readonly #sending = new Set<Promise<void>>();
  /** Bytes of the part that fills: in pieces while they are few, then in a buffer. */
  #pieces: Buffer[] = [];
  #buffer: PartBuffer | undefined;
  #used = 0;
  #written = 0;
  #upload: Promise<string> | undefined;
  #failure: unknown;
  #done = false;

  constructor(context: S3Context, key: string) {
    this.#context = context;
    this.#key = key;
  }

  async write(pieces: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    for (const piece of pieces) await this.#add(piece);
  }

  async commit(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#upload === undefined) await this.#put();
    else await this.#complete(this.#upload);
    this.#done = true;
  }

  async abort(): Promise<void> {
    this.#pieces = [];
    this.#buffer?.release();
    this.#buffer = undefined;
    this.#failure ??= new FlywheelError('conflict', `the upload of ${this.#key} was given up`);
    if (this.#done || this.#upload === undefined) return;
    this.#done = true;
    await Promise.allSettled(this.#parts);
    const { client, sdk, bucket: Bucket } = this.#context;
    const UploadId = await this.#upload.catch(() => undefined);
    if (UploadId === undefined) return;
    // What cannot be aborted now is found by `discard`, and at last by `removeLeftovers`.
    await ifPresent(`abort ${this.#key}`, () =>
      client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key: this.#key, UploadId })),
    ).catch(() => {});
  }

  async #add(piece: Uint8Array): Promise<void> {
    const isSmall = this.#buffer === undefined && this.#upload === undefined;
    if (isSmall && this.#used + piece.length <= SMALL_BYTES) {
      // Copied: the caller uses its buffer again.
      this.#pieces.push(Buffer.from(piece));
      this.#used += piece.length;
      this.#written += piece.length;
      return;
    }
    for (let at = 0; at < piece.length;) {
      const { bytes } = (this.#buffer ??= await this.#takeBuffer());
      const taken = piece.subarray(at, at + bytes.length - this.#used);
      bytes.set(taken, this.#used);
      this.#used += taken.length;
      this.#written += taken.length;
      at += taken.length;
      if (this.#used === bytes.length) await this.#sendPart(this.#buffer);
    }
  }

  /** Where no spare one is left, waits until a part of its own is sent: memory stays bounded. */
  async #takeBuffer(): Promise<PartBuffer> {
    const { buffers } = this.#context;
    let buffer: PartBuffer | undefined;
    while (this.#sending.size > 0 && buffer === undefined) {
      buffer = buffers.takeSpare();
      if (buffer === undefined) await Promise.race(this.#sending);
    }
    buffer ??= buffers.take();
    let at = 0;
    for (const piece of this.#pieces) at += piece.copy(buffer.bytes, at);
    this.#pieces = [];
    return buffer;
  }

  async #put(): Promise<void> {
    const { client, sdk, bucket: Bucket } = this.#context;
    const buffer = this.#buffer;
    this.#buffer = undefined;
    const Body = buffer?.bytes.subarray(0, this.#used) ?? Buffer.concat(this.#pieces);
    let stored = false;
    try {
      await s3Call(`store ${this.#key}`, () =>
        client.send(new sdk.PutObjectCommand({ Bucket, Key: this.#key, Body, ContentType: TYPE })),
      );
      stored = true;
    } finally {
      buffer?.release(!stored);
      this.#pieces = [];
    }
  }

  /** Begins the upload in parts with the first one, and goes on while the part is sent. */
  async #sendPart(buffer: PartBuffer): Promise<void> {
    const { client, sdk, bucket: Bucket } = this.#context;
    const Key = this.#key;
    const Body = buffer.bytes.subarray(0, this.#used);
    const PartNumber = this.#parts.length + 1;
    if (PartNumber > MAX_PARTS) {
      const message = `S3: ${Key} has more than ${MAX_PARTS} parts of ${buffer.bytes.length} bytes`;
      throw new FlywheelError('too-large', message);
    }
    this.#upload ??= this.#begin();
    const UploadId = await this.#upload;
    this.#buffer = undefined;
    this.#used = 0;
    const part = s3Call(`store part ${PartNumber} of ${Key}`, () =>
      client.send(new sdk.UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body })),
    ).then(({ ETag }) => ({ PartNumber, ETag }));
    this.#parts.push(part);
    const sent = part
      .then(
        () => buffer.release(),
        (error: unknown) => {
          this.#failure ??= error;
          buffer.release(true);
        },
      )
      .finally(() => this.#sending.delete(sent));
    this.#sending.add(sent);
  }

  #begin(): Promise<string> {
    const { client, sdk, bucket: Bucket } = this.#context;
    return s3Call(`begin ${this.#key}`, async () => {
      const { UploadId } = await client.send(
        new sdk.CreateMultipartUploadCommand({ Bucket, Key: this.#key, ContentType: TYPE }),
      );
      if (UploadId === undefined) throw new FlywheelError('unavailable', 'S3 gave no upload id');
      return UploadId;
    });
  }

  async #complete(upload: Promise<string>): Promise<void> {
    const { client, sdk, bucket: Bucket } = this.#context;
    const Key = this.#key;
    if (this.#buffer !== undefined && this.#used > 0) await this.#sendPart(this.#buffer);
    this.#buffer?.release();
    this.#buffer = undefined;
    const MultipartUpload = { Parts: await Promise.all(this.#parts) };
    const UploadId = await upload;
    const completed = await ifPresent(`complete ${Key}`, () =>
      client.send(
        new sdk.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }),
      ),
    );
    // An answer that was lost is asked for again by the SDK, and then there is no such upload any
    // more: whether it was completed, the object tells.
    if (completed === undefined) await this.#checkStored();
  }

  async #checkStored(): Promise<void> {
    const { client, sdk, bucket: Bucket } = this.#context;
    const Key = this.#key;
    const head = await ifPresent(`look at ${Key}`, () =>
      client.send(new sdk.HeadObjectCommand({ Bucket, Key })),
    );
    if (head?.ContentLength === this.#written) return;
    throw new FlywheelError('unavailable', `S3: the upload of ${Key} is gone before its end`);
  }
}
