export { connectCluster, KubernetesClient } from './cluster/client.ts';
export type { KubernetesObject } from './cluster/client.ts';

export { neededSecrets } from './secrets/needed-secrets.ts';
export type { NeededSecret, SecretMaker } from './secrets/needed-secrets.ts';
export type { SecretPlan } from './secrets/plan-secret.ts';
export { rotateBucketUser } from './secrets/rotate-bucket.ts';
export { rotateDatabasePassword } from './secrets/rotate-database.ts';
export { removeTokenKey, rotateTokenKeys } from './secrets/rotate-token-keys.ts';
export type { Rotation } from './secrets/rotation.ts';
export { planSecrets, writeSecrets } from './secrets/sync-secrets.ts';
export { rollWorkload, workloadsWith } from './secrets/workloads.ts';
export type { Workload } from './secrets/workloads.ts';

export { parseLockFile, withDigest } from './vendor/lock-file.ts';
export type { LockedManifest } from './vendor/lock-file.ts';
export {
  cachedDigest,
  fetchForPin,
  vendoredFile,
  vendoredManifest,
} from './vendor/vendored-manifest.ts';
export type { VendoredManifest, VendorOptions } from './vendor/vendored-manifest.ts';
