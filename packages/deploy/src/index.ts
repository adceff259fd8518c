export { connectCluster, KubernetesClient } from './cluster/client.ts';
export type { KubernetesObject } from './cluster/client.ts';

export { applyPlan } from './plan/apply-plan.ts';
export type { ApplyOptions } from './plan/apply-plan.ts';
export { makePlan } from './plan/make-plan.ts';
export type { MadePlan } from './plan/make-plan.ts';
export type { FieldChange } from './plan/fields.ts';
export type { Action, PlannedChange, PlanSummary } from './plan/planned-change.ts';
export { unnamedLosses } from './plan/protection.ts';

export { countChanges, formatCounts } from './report/counts.ts';
export { writeReports } from './report/write-reports.ts';

export { neededSecrets } from './secrets/needed-secrets.ts';
export type { NeededSecret, SecretMaker } from './secrets/needed-secrets.ts';
export type { SecretPlan } from './secrets/plan-secret.ts';
export { rotateBucketUser } from './secrets/rotate-bucket.ts';
export { rotateDatabasePassword } from './secrets/rotate-database.ts';
export { rotateMinioRoot } from './secrets/rotate-root.ts';
export { removeTokenKey, rotateTokenKeys } from './secrets/rotate-token-keys.ts';
export type { Rotation } from './secrets/rotation.ts';
export { planSecrets, writeSecrets } from './secrets/sync-secrets.ts';
export { rollWorkload, workloadsWith } from './secrets/workloads.ts';
export type { Workload } from './secrets/workloads.ts';

export { openStack } from './stacks/open-stack.ts';
export type { StackSite } from './stacks/open-stack.ts';
export { findStack, orderStacks } from './stacks/order.ts';
export { providerLockFile, readProviderLock } from './stacks/provider-lock.ts';
export { manifestsFor, readStacks } from './stacks/stack.ts';
export type { Stack } from './stacks/stack.ts';

export { gitlabBackend } from './state/backend.ts';
export type { Backend } from './state/backend.ts';
export type { LockHolder } from './state/lock.ts';
export { pullState, stateObjects, stateOutputs } from './state/show-state.ts';
export { holderOf, unlockState } from './state/unlock.ts';

export { findTofu } from './tofu/find-tofu.ts';
export type { TofuMessage } from './tofu/message.ts';

export { parseLockFile, withDigest } from './vendor/lock-file.ts';
export type { LockedManifest } from './vendor/lock-file.ts';
export {
  cachedDigest,
  fetchForPin,
  vendoredFile,
  vendoredManifest,
} from './vendor/vendored-manifest.ts';
export type { VendoredManifest, VendorOptions } from './vendor/vendored-manifest.ts';
