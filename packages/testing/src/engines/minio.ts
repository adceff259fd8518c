import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { goInstall } from './go-install.ts';
import type { Missing } from './missing.ts';
import { S3_ACCESS_KEY, S3_SECRET_KEY, startS3Server } from './s3-server.ts';
import type { S3Server } from './s3-server.ts';

/** The last state of its sources; the project is archived. */
const VERSION = '0.0.0-20260212201848-7aac2a2c5b7c';
const MODULE = `github.com/minio/minio@v${VERSION}`;

/** Where MinIO is, which is built with Go on first use (six minutes) and kept. */
export function minioProgram(): Promise<string | Missing> {
  return goInstall({ name: 'minio', version: VERSION, module: MODULE });
}

/**
 * MinIO over a temporary folder, with one empty bucket.
 */
export async function startMinio(): Promise<S3Server | Missing> {
  const program = await minioProgram();
  if (typeof program !== 'string') return program;
  const bucket = 'flywheel-test';
  return startS3Server('minio', async (folder, port) => {
    // In its layout for one disk, a folder beside its own is a bucket.
    await mkdir(join(folder, 'data', bucket), { recursive: true });
    return {
      bucket,
      // prettier-ignore
      command: [program, 'server', '--quiet', '--address', `127.0.0.1:${port}`,
        join(folder, 'data')],
      env: {
        MINIO_ROOT_USER: S3_ACCESS_KEY,
        MINIO_ROOT_PASSWORD: S3_SECRET_KEY,
        MINIO_BROWSER: 'off',
        MINIO_UPDATE: 'off',
        // The machine's disk may be fuller than it likes.
        MINIO_CI_CD: '1',
      },
    };
  });
}
