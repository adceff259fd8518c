export { startCacheServer } from './server.ts';
export type { CacheServer, CacheServerOptions } from './server.ts';
export type { S3Location } from './blobs/s3-location.ts';
export type { Downloads } from './api/choose-hand-over.ts';
export { parseSendFile } from './api/send-file.ts';
export type { SendFile } from './api/send-file.ts';
export {
  dataDirectory,
  loadAdminToken,
  loadTokenKey,
  prepareDataDirectory,
  readServerRecord,
} from './data-directory.ts';
export type { DataDirectory, ServerRecord } from './data-directory.ts';
export { mintToken } from './access/mint.ts';
export type { TokenRequest } from './access/mint.ts';
export { PERMISSIONS } from './access/permissions.ts';
export type { Permission } from './access/permissions.ts';
export { hs256Key, rs256Key } from './access/token-key.ts';
export type { TokenKey } from './access/token-key.ts';
