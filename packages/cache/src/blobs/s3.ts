import { isBlobKey, type BlobEntry, type Blobs } from './blobs.ts';
import { OpenDownloads } from './open-downloads.ts';
import { PartBuffers } from './part-buffers.ts';
import { ifPresent, s3Call, type S3Context } from './s3-call.ts';
import { connectS3 } from './s3-client.ts';
import { abortUploads } from './s3-leftovers.ts';
import { checkS3Location, type S3Location } from './s3-location.ts';
import { urlSigner, type SignUrl } from './s3-presign.ts';
import { S3Reader } from './s3-reader.ts';
import { S3Writer } from './s3-writer.ts';

export interface S3Blobs extends Blobs {
  /** A URL of one blob, see `urlSigner`. */
  readonly signUrl: SignUrl;
  /** How often each S3 operation was sent. */
  readonly requests: ReadonlyMap<string, number>;
  /** Closes the connections that wait for further requests. */
  close(): void;
}

/**
 * Bytes of a part. S3 takes 10,000 parts, all but the last of at least these 5 MiB and, on R2, of
 * one size: they reach 48 GiB of compressed NAR.
 */
const PART_BYTES = 5 * 1024 * 1024;

/** Beside the one part that each upload has in memory. */
const SPARE_PARTS = 4;

/** Between two reads: each client that is being sent to has one for each pack of its NAR. */
const OPEN_DOWNLOADS = 256;

/**
 * Blobs in an S3 bucket. Throws when the bucket cannot be used, saying whether it is missing, the
 * credentials are refused or may not write, or nothing answers.
 */
export async function openS3Blobs(place: S3Location): Promise<S3Blobs> {
  const location = checkS3Location(place);
  const { bucket, prefix } = location;
  const connection = await connectS3(location);
  const { sdk, client, requests } = connection;
  const context: S3Context = {
    ...connection,
    bucket,
    buffers: new PartBuffers(PART_BYTES, SPARE_PARTS),
    downloads: new OpenDownloads(OPEN_DOWNLOADS),
  };
  await checkAccess(context, prefix);
  const signUrl = await urlSigner(location, connection);

  const remove: Blobs['remove'] = async (key) => {
    await ifPresent(`remove ${key}`, () =>
      client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: prefix + key })),
    );
  };

  return {
    remove,
    requests,
    close: () => client.destroy(),
    signUrl: (key, download) => signUrl(prefix + key, download),

    async create(key) {
      return new S3Writer(context, prefix + key);
    },

    async open(key) {
      if (!isBlobKey(key)) return undefined;
      const head = await ifPresent(`open ${key}`, () =>
        client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: prefix + key })),
      );
      return head && new S3Reader(context, prefix + key, head.ContentLength ?? 0);
    },

    async *list(kind = 'packs'): AsyncGenerator<BlobEntry> {
      const Prefix = kind === 'packs' ? prefix : `${prefix}${kind}/`;
      const pages = sdk.paginateListObjectsV2({ client }, { Bucket: bucket, Prefix });
      for await (const page of pages) {
        for (const object of page.Contents ?? []) {
          const key = object.Key?.slice(prefix.length) ?? '';
          if (!isBlobKey(key, kind)) continue;
          yield { key, size: object.Size ?? 0, modifiedMs: object.LastModified?.getTime() ?? 0 };
        }
      }
    },

    async discard(key) {
      await abortUploads(context, prefix + key);
      await remove(key);
    },

    removeLeftovers: (olderThanMs) => abortUploads(context, prefix, Date.now() - olderThanMs),

    async probe() {
      await s3Call(`use the bucket ${bucket}`, () =>
        client.send(new sdk.HeadBucketCommand({ Bucket: bucket })),
      );
    },
  };
}

/**
 * Does once what the cache will do later. First a list, whose refusal says why in a body, which that
 * of a HEAD cannot.
 */
async function checkAccess(context: S3Context, Prefix: string): Promise<void> {
  const { client, sdk, bucket: Bucket } = context;
  await s3Call(`use the bucket ${Bucket}`, () =>
    client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix, MaxKeys: 1 })),
  );
  const Key = `${Prefix}write-test`;
  await s3Call(`write to the bucket ${Bucket}`, () =>
    client.send(new sdk.PutObjectCommand({ Bucket, Key, Body: 'x' })),
  );
  await abortUploads(context, Key);
  await s3Call(`delete from the bucket ${Bucket}`, () =>
    client.send(new sdk.DeleteObjectCommand({ Bucket, Key })),
  );
}
