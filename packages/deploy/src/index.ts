export { parseLockFile, withDigest } from './vendor/lock-file.ts';
export type { LockedManifest } from './vendor/lock-file.ts';
export {
  cachedDigest,
  fetchForPin,
  vendoredFile,
  vendoredManifest,
} from './vendor/vendored-manifest.ts';
export type { VendoredManifest, VendorOptions } from './vendor/vendored-manifest.ts';
