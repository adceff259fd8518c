import type { Metadata, Upload } from '../db/metadata.ts';

/**
 * Runs an upload under a lease. Its success ends the lease together with its last write; a failure
 * abandons it here, and where even that fails, it runs out by itself.
 */
export async function withUpload<T>(
  metadata: Metadata,
  narHash: Buffer | undefined,
  work: (upload: Upload) => Promise<T>,
): Promise<T> {
  const upload = await metadata.beginUpload(narHash);
  try {
    return await work(upload);
  } catch (error) {
    await metadata.abandonLease(upload.lease).catch(() => {});
    throw error;
  }
}
