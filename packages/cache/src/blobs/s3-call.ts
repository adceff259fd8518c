import { FlywheelError } from '@flywheel/base';
import type { PartBuffers } from './part-buffers.ts';
import type { OpenDownloads } from './open-downloads.ts';
import type { S3Connection } from './s3-client.ts';
import { s3Fault } from './s3-fault.ts';

/** What the parts of the S3 blobs share. */
export interface S3Context extends S3Connection {
  readonly bucket: string;
  readonly buffers: PartBuffers;
  readonly downloads: OpenDownloads;
}

/** Runs an S3 request; its failure says what was attempted and keeps S3's own words. */
export async function s3Call<T>(attempted: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (cause) {
    if (cause instanceof FlywheelError) throw cause;
    const { code, words, hint } = s3Fault(cause);
    const details = hint === undefined ? {} : { hint };
    throw new FlywheelError(code, `S3: ${attempted}: ${words}`, { cause, details });
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
