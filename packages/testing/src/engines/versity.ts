import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { goInstall } from './go-install.ts';
import type { Missing } from './missing.ts';
import { S3_ACCESS_KEY, S3_SECRET_KEY, startS3Server } from './s3-server.ts';
import type { S3Server } from './s3-server.ts';

const VERSION = '1.8.0';
const MODULE = `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`;

/**
 * The Versity S3 gateway over a temporary folder, with one empty bucket. It is built with Go on
 * first use (two to three minutes) and kept.
 */
export async function startVersity(): Promise<S3Server | Missing> {
  const program = await goInstall({ name: 'versitygw', version: VERSION, module: MODULE });
  if (typeof program !== 'string') return program;
  const bucket = 'flywheel-test';
  return startS3Server('versitygw', async (folder, port) => {
    await mkdir(join(folder, 'data', bucket), { recursive: true });
    return {
      bucket,
      // prettier-ignore
      command: [program, '--port', `127.0.0.1:${port}`, '--quiet',
        'posix', join(folder, 'data')],
      env: { ROOT_ACCESS_KEY: S3_ACCESS_KEY, ROOT_SECRET_KEY: S3_SECRET_KEY },
    };
  });
}
