import { Semaphore } from '@flywheel/base';
import {
  isBlobKey,
  type BlobEntry,
  type BlobReader,
  type Blobs,
  type BlobWriter,
} from './blobs.ts';
import { ifPresent, s3Call, type S3Context } from './s3-call.ts';
import { S3Reader } from './s3-reader.ts';
import { S3Writer } from './s3-writer.ts';

/** Where the bucket is. Credentials come from the environment, files, or web identity. */
export interface S3Location {
  readonly bucket: string;
  /** For everything but AWS: `https://minio.example.org`. */
  readonly endpoint?: string;
  readonly region?: string;
  /** `endpoint/bucket/key` in place of `bucket.endpoint/key`; MinIO and Garage want it. */
  readonly pathStyle?: boolean;
  /** Before every key, ends in `/` when not empty. */
  readonly prefix?: string;
}

/** Parts of uploads under way at a time, over all uploads: each holds its bytes in memory. */
const PARTS_IN_FLIGHT = 4;

/**
 * Blobs in an S3 bucket. Throws when the bucket cannot be used, saying whether it is missing, the
 * credentials are refused, or nothing answers.
 */
export async function openS3Blobs(location: S3Location): Promise<Blobs> {
  // Half a second to load, which only those pay who use it.
  const sdk = await import('@aws-sdk/client-s3');
  const { bucket, prefix = '' } = location;
  const client = new sdk.S3Client({
    region: location.region ?? 'us-east-1',
    forcePathStyle: location.pathStyle ?? location.endpoint !== undefined,
    ...(location.endpoint === undefined ? {} : { endpoint: location.endpoint }),
    // Trailing checksums are AWS's own: R2, Ceph and older MinIO refuse them.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 5,
  });
  const context: S3Context = { sdk, client, bucket, sending: new Semaphore(PARTS_IN_FLIGHT) };
  await s3Call(`use the bucket ${bucket}`, () =>
    client.send(new sdk.HeadBucketCommand({ Bucket: bucket })),
  );

  return {
    async create(key): Promise<BlobWriter> {
      return new S3Writer(context, prefix + key);
    },

    async open(key): Promise<BlobReader | undefined> {
      if (!isBlobKey(key)) return undefined;
      const head = await ifPresent(`open ${key}`, () =>
        client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: prefix + key })),
      );
      return head && new S3Reader(context, prefix + key, head.ContentLength ?? 0);
    },

    async remove(key) {
      await ifPresent(`remove ${key}`, () =>
        client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: prefix + key })),
      );
    },

    async *list(): AsyncGenerator<BlobEntry> {
      const pages = sdk.paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix });
      for await (const page of pages) {
        for (const object of page.Contents ?? []) {
          const key = object.Key?.slice(prefix.length) ?? '';
          if (!isBlobKey(key)) continue;
          yield { key, size: object.Size ?? 0, modifiedMs: object.LastModified?.getTime() ?? 0 };
        }
      }
    },

    /** Multipart uploads that nobody will finish: their parts cost space and are never listed. */
    async removeLeftovers() {
      const before = Date.now() - ABANDONED_MS;
      let removed = 0;
      const { Uploads: uploads = [] } = await s3Call('list unfinished uploads', () =>
        client.send(new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix })),
      );
      for (const { Key, UploadId, Initiated } of uploads) {
        if ((Initiated?.getTime() ?? 0) > before) continue;
        await ifPresent(`abort an unfinished upload of ${Key}`, () =>
          client.send(new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId })),
        );
        removed += 1;
      }
      return removed;
    },
  };
}

/** Another replica may be writing: only what has been unfinished for a day is abandoned. */
const ABANDONED_MS = 24 * 3600 * 1000;
