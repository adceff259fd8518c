export { applyPlan } from './plan/apply-plan.ts';
export type { ApplyOptions } from './plan/apply-plan.ts';
export { makePlan } from './plan/make-plan.ts';
export type { MadePlan } from './plan/make-plan.ts';
export type { FieldChange } from './plan/fields.ts';
export type { Action, PlannedChange, PlanSummary } from './plan/planned-change.ts';
export { unnamedLosses } from './plan/protection.ts';

export { countChanges, formatCounts } from './report/counts.ts';
export { writeReports } from './report/write-reports.ts';

export { openStack } from './stacks/open-stack.ts';
export type { StackSite } from './stacks/open-stack.ts';
export { findStack, orderStacks } from './stacks/order.ts';
export { manifestsFor, readStacks } from './stacks/stack.ts';
export type { Stack } from './stacks/stack.ts';

export { gitlabBackend } from './state/backend.ts';
export type { Backend } from './state/backend.ts';
export type { LockHolder } from './state/lock.ts';
export { pullState, stateObjects, stateOutputs } from './state/show-state.ts';
export { holderOf, unlockState } from './state/unlock.ts';

export { findTofu } from './tofu/find-tofu.ts';
export type { TofuMessage } from './tofu/message.ts';
