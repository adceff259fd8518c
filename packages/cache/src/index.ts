export { startCacheServer } from './server.ts';
export type { CacheServer, CacheServerOptions } from './server.ts';
export { whileAbsent } from './await-stores.ts';
export { migrateDatabase } from './server-role.ts';
export type { ServerRole } from './server-role.ts';
export type { S3Location } from './blobs/s3-location.ts';
export type { Downloads } from './api/choose-hand-over.ts';
export { parseSendFile } from './api/send-file.ts';
export type { SendFile } from './api/send-file.ts';
export {
  dataDirectory,
  ensureTokenKey,
  prepareDataDirectory,
  readServerRecord,
} from './data-directory.ts';
export type { DataDirectory, ServerRecord } from './data-directory.ts';
export { grantsOf, mintToken, newTokenId, tokenClaims } from './access/mint.ts';
export type { TokenRequest } from './access/mint.ts';
export { PERMISSIONS } from './access/permissions.ts';
export type { Permission } from './access/permissions.ts';
export { formatGrants } from './access/grant-list.ts';
export {
  addKey,
  readKeyFolder,
  removeKey,
  retireKey,
  writeSecretFile,
} from './access/key-folder.ts';
export type { KeyFile, KeyFolder } from './access/key-folder.ts';
export { KeyRing } from './access/key-ring.ts';
export type { RateSettings } from './access/rate-limits.ts';
export { generateTokenKey } from './access/generate-token-key.ts';
export type { TokenAlgorithm, TokenKey } from './access/token-key.ts';
export { rebuildDatabase } from './repair/rebuild.ts';
export type { Rebuilt } from './repair/rebuild.ts';
export { importAttic } from './import-attic/import-attic.ts';
export type { ImportedAttic } from './import-attic/import-attic.ts';
export type { AtticLocation } from './blobs/attic-place.ts';
