import type * as Sdk from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { FlywheelError, messageOf, type ErrorCode, type Semaphore } from '@flywheel/base';

/** The parts of the SDK that the blobs use, loaded with them. */
export type S3Sdk = typeof Sdk;

export interface S3Context {
  readonly sdk: S3Sdk;
  readonly client: S3Client;
  readonly bucket: string;
  /** Bounds the parts that all writers together are sending. */
  readonly sending: Semaphore;
}

/** Runs an S3 request; its failure says what was attempted and keeps S3's own words. */
export async function s3Call<T>(attempted: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (cause) {
    const { code, hint } = explain(cause);
    throw new FlywheelError(code, `S3: ${attempted}: ${s3Words(cause)}`, {
      cause,
      details: hint === undefined ? {} : { hint },
    });
  }
}

/** Undefined for what is not there. */
export async function ifPresent<T>(
  attempted: string,
  request: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await s3Call(attempted, request);
  } catch (error) {
    if (error instanceof FlywheelError && error.code === 'not-found') return undefined;
    throw error;
  }
}

function explain(cause: unknown): { code: ErrorCode; hint?: string } {
  const status = (cause as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  const name = (cause as { name?: string }).name ?? '';
  if (status === 404 || name === 'NoSuchKey' || name === 'NoSuchUpload')
    return { code: 'not-found' };
  if (status === 401 || status === 403) {
    return {
      code: 'forbidden',
      hint: 'check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the role) and the bucket policy',
    };
  }
  if (name === 'XMinioStorageFull' || status === 507) return { code: 'no-space' };
  if (name === 'CredentialsProviderError') {
    return {
      code: 'unauthorized',
      hint: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role',
    };
  }
  return { code: 'unavailable', hint: 'check the endpoint and whether the object store answers' };
}

/** A HEAD has no body, so the SDK can only say "UnknownError": the status says more. */
function s3Words(cause: unknown): string {
  const status = (cause as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  const words = messageOf(cause);
  const vague = words === '' || words === 'UnknownError' || words === 'NotFound';
  return vague && status !== undefined ? `it answers ${status}` : words;
}
