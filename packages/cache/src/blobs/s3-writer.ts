import { FlywheelError } from '@flywheel/base';
import type { BlobWriter } from './blobs.ts';
import { ifPresent, s3Call, type S3Context } from './s3-call.ts';

/**
 * Bytes of a part. S3 takes 10,000 parts, all but the last of at least 5 MiB and, on R2, of one
 * size: 16 MiB reach 156 GiB of compressed NAR.
 */
const PART_BYTES = 16 * 1024 * 1024;

/**
 * Writes one object: a small one with a single PUT, a large one in parts, each sent while the next
 * one fills. Nothing is visible before `commit`, which is S3's own atomic step.
 */
export class S3Writer implements BlobWriter {
  readonly #context: S3Context;
  readonly #key: string;
  readonly #parts: Promise<{ PartNumber: number; ETag: string | undefined }>[] = [];
  #pieces: Buffer[] = [];
  #bytes = 0;
  #upload: Promise<string> | undefined;
  #failure: unknown;
  #done = false;

  constructor(context: S3Context, key: string) {
    this.#context = context;
    this.#key = key;
  }

  async write(pieces: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    for (const piece of pieces) {
      for (let at = 0; at < piece.length;) {
        const room = PART_BYTES - this.#bytes;
        // Copied: the caller uses its buffer again.
        const taken = Buffer.from(piece.subarray(at, at + room));
        this.#pieces.push(taken);
        this.#bytes += taken.length;
        at += taken.length;
        if (this.#bytes === PART_BYTES) await this.#sendPart();
      }
    }
  }

  async commit(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const { client, sdk, bucket: Bucket } = this.#context;
    const Key = this.#key;
    if (this.#upload === undefined) {
      const Body = this.#take();
      await s3Call(`store ${Key}`, () =>
        client.send(new sdk.PutObjectCommand({ Bucket, Key, Body, ContentType: TYPE })),
      );
    } else {
      if (this.#bytes > 0) await this.#sendPart();
      const Parts = await Promise.all(this.#parts);
      const UploadId = await this.#upload;
      await s3Call(`complete ${Key}`, () =>
        client.send(
          new sdk.CompleteMultipartUploadCommand({
            Bucket,
            Key,
            UploadId,
            MultipartUpload: { Parts },
          }),
        ),
      );
    }
    this.#done = true;
  }

  async abort(): Promise<void> {
    this.#pieces = [];
    this.#bytes = 0;
    if (this.#done || this.#upload === undefined) return;
    this.#done = true;
    await Promise.allSettled(this.#parts);
    const { client, sdk, bucket: Bucket } = this.#context;
    const UploadId = await this.#upload.catch(() => undefined);
    if (UploadId === undefined) return;
    // What cannot be aborted now is found by removeLeftovers.
    await ifPresent(`abort ${this.#key}`, () =>
      client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key: this.#key, UploadId })),
    ).catch(() => {});
  }

  /** Waits for a free place among all uploads' parts, so that memory stays bounded. */
  async #sendPart(): Promise<void> {
    const { client, sdk, bucket: Bucket, sending } = this.#context;
    const Key = this.#key;
    this.#upload ??= s3Call(`begin ${Key}`, async () => {
      const { UploadId } = await client.send(
        new sdk.CreateMultipartUploadCommand({ Bucket, Key, ContentType: TYPE }),
      );
      if (UploadId === undefined) throw new FlywheelError('unavailable', 'S3 gave no upload id');
      return UploadId;
    });
    const UploadId = await this.#upload;
    const release = await sending.acquire();
    const Body = this.#take();
    const PartNumber = this.#parts.length + 1;
    const part = s3Call(`store part ${PartNumber} of ${Key}`, () =>
      client.send(new sdk.UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body })),
    )
      .then(({ ETag }) => ({ PartNumber, ETag }))
      .finally(release);
    part.catch((error: unknown) => {
      this.#failure ??= error;
    });
    this.#parts.push(part);
  }

  #take(): Buffer {
    const body = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    return body;
  }
}

const TYPE = 'application/zstd';
