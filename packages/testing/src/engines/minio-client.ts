import { goInstall } from './go-install.ts';
import type { Missing } from './missing.ts';

const VERSION = '0.0.0-20250313080218-cf909e1063a9';

/** Where MinIO's client `mc` is, which is built with Go on first use (two minutes) and kept. */
export async function minioClient(): Promise<string | Missing> {
  return goInstall({ name: 'mc', version: VERSION, module: `github.com/minio/mc@v${VERSION}` });
}
