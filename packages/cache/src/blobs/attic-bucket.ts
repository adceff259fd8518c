import type { AtticLocation } from './attic-place.ts';
import type { AtticObjects } from './attic-objects.ts';
import { isAtticObject } from './attic-place.ts';
import { OpenDownloads } from './open-downloads.ts';
import { ifPresent, s3Call } from './s3-call.ts';
import { connectS3 } from './s3-client.ts';
import { checkS3Location } from './s3-location.ts';
import { S3Reader } from './s3-reader.ts';

/** As many as a few downloads have between two reads. */
const OPEN_DOWNLOADS = 256;

/** Objects lie at the root of the bucket. Throws when it cannot be listed. */
export async function openAtticBucket(
  location: Extract<AtticLocation, { readonly kind: 's3' }>,
): Promise<AtticObjects> {
  const { bucket: Bucket } = checkS3Location(location);
  const connection = await connectS3(location);
  const { client, sdk } = connection;
  const context = { ...connection, bucket: Bucket, downloads: new OpenDownloads(OPEN_DOWNLOADS) };
  // A list tells why it is refused, which a HEAD cannot.
  await s3Call(`use the bucket ${Bucket}`, () =>
    client.send(new sdk.ListObjectsV2Command({ Bucket, MaxKeys: 1 })),
  );
  let listed: Promise<ReadonlyMap<string, number>> | undefined;

  /** Some hundred bytes of memory an object, and a request for each thousand instead of for each. */
  async function list(): Promise<ReadonlyMap<string, number>> {
    const sizes = new Map<string, number>();
    for await (const page of sdk.paginateListObjectsV2({ client }, { Bucket })) {
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        if (isAtticObject(Key)) sizes.set(Key, Size);
      }
    }
    return sizes;
  }

  async function head(name: string): Promise<number | undefined> {
    const found = await ifPresent(`look at ${name}`, () =>
      client.send(new sdk.HeadObjectCommand({ Bucket, Key: name })),
    );
    return found && (found.ContentLength ?? 0);
  }

  return {
    async open(name, seenSize) {
      const size = seenSize ?? (await head(name));
      return size === undefined ? undefined : new S3Reader(context, name, size);
    },
    async remove(name) {
      await ifPresent(`remove ${name}`, () =>
        client.send(new sdk.DeleteObjectCommand({ Bucket, Key: name })),
      );
    },
    async sizeOf(name) {
      listed ??= s3Call(`list the bucket ${Bucket}`, list);
      // What came since the list was made is asked for by itself.
      return (await listed).get(name) ?? head(name);
    },
    close: () => client.destroy(),
  };
}
