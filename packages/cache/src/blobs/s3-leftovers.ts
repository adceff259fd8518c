import { FlywheelError } from '@flywheel/base';
import { ifPresent, s3Call, type S3Context } from './s3-call.ts';

interface UnfinishedUpload {
  readonly Key?: string | undefined;
  readonly UploadId?: string | undefined;
  readonly Initiated?: Date | undefined;
}

/**
 * Ends multipart uploads below `prefix` that began before `beforeMs`; returns how many. Their parts
 * cost space and no list of objects shows them. MinIO lists only those whose key is the prefix.
 */
export async function abortUploads(
  context: S3Context,
  prefix: string,
  beforeMs = Number.POSITIVE_INFINITY,
): Promise<number> {
  const { client, sdk, bucket: Bucket } = context;
  const found: UnfinishedUpload[] = [];
  for await (const upload of listUploads(context, prefix)) {
    if ((upload.Initiated?.getTime() ?? 0) < beforeMs) found.push(upload);
  }
  for (const { Key, UploadId } of found) {
    await ifPresent(`abort an unfinished upload of ${Key}`, () =>
      client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId })),
    );
  }
  return found.length;
}

async function* listUploads(
  { client, sdk, bucket: Bucket }: S3Context,
  Prefix: string,
): AsyncGenerator<UnfinishedUpload> {
  let marker: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (;;) {
    const page = await ifSupported(() =>
      s3Call('list unfinished uploads', () =>
        client.send(new sdk.ListMultipartUploadsCommand({ Bucket, Prefix, ...marker })),
      ),
    );
    yield* page?.Uploads ?? [];
    if (page?.IsTruncated !== true || page.NextKeyMarker === undefined) return;
    marker = {
      KeyMarker: page.NextKeyMarker,
      ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }),
    };
  }
}

/** Where a server cannot list them, a rule of the bucket has to remove them: docs/cache/s3.md. */
async function ifSupported<T>(request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof FlywheelError && error.code === 'unsupported') return undefined;
    throw error;
  }
}
