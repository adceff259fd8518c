import { readFile } from 'node:fs/promises';
import { FlywheelError } from '@flywheel/base';
import { openStack, planFile, recordFile } from '../stacks/open-stack.ts';
import type { OpenStack, StackSite } from '../stacks/open-stack.ts';
import { readTofu, runTofu } from '../tofu/run-tofu.ts';
import type { TofuMessage } from '../tofu/message.ts';
import { recordPlan, removePlan, writePlanRecord } from './plan-record.ts';
import { hasChanges, summarizePlan } from './planned-change.ts';
import type { PlanSummary } from './planned-change.ts';
import { parsePlanDocument } from './show-json.ts';
import type { PlanDocument } from './show-json.ts';

/** A plan that was made and saved. */
export interface MadePlan extends PlanSummary {
  readonly stack: string;
  readonly environment: string;
  readonly destroy: boolean;
  /** Identifies the plan, and all that it was made of. */
  readonly digest: string;
  /** Whether there was no state yet. */
  readonly isNew: boolean;
  readonly changed: boolean;
}

export interface PlanOptions {
  /** Plan to destroy everything. */
  readonly destroy: boolean;
  /** Take the lock of the state. Who only looks does not need it. */
  readonly lock: boolean;
  readonly onMessage?: (message: TofuMessage) => void;
}

/** Plans a stack and saves the plan with a record of what it was made of. */
export async function makePlan(
  site: StackSite,
  options: PlanOptions,
): Promise<{ readonly plan: MadePlan; readonly opened: OpenStack }> {
  // What was planned before must not be applied when this fails.
  await removePlan(planFile(site), recordFile(site));
  const opened = await openStack(site);
  const { destroy, lock, onMessage } = options;
  await runTofu(
    opened.tofu,
    [
      'plan',
      '-json',
      '-input=false',
      '-detailed-exitcode',
      `-lock=${lock}`,
      `-out=${planFile(site)}`,
      ...(destroy ? ['-destroy'] : []),
    ],
    { statuses: [0, 2], ...(onMessage === undefined ? {} : { onMessage }) },
  );
  const document = await readPlan(opened);
  requireSameState(opened, document);
  const summary = summarizePlan(document);
  const record = recordPlan(opened.ingredients, await readFile(planFile(site)), destroy);
  await writePlanRecord(recordFile(site), record);
  const plan = {
    stack: site.stack.name,
    environment: site.environment,
    destroy,
    digest: record.digest,
    isNew: opened.state === undefined,
    changed: hasChanges(summary),
    ...summary,
  };
  return { plan, opened };
}

/** What the saved plan would do. */
export async function showPlan(opened: OpenStack): Promise<PlanSummary> {
  return summarizePlan(await readPlan(opened));
}

async function readPlan({ site, tofu }: OpenStack): Promise<PlanDocument> {
  return parsePlanDocument(await readTofu(tofu, ['show', '-json', planFile(site)]));
}

/**
 * tofu reads the state by itself, and takes an answer without one for an empty state. A state whose
 * objects are gone from the cluster is told apart by the drift.
 */
function requireSameState({ site, state }: OpenStack, document: PlanDocument): void {
  const { resources = [], child_modules: modules = [] } =
    document.prior_state?.values?.root_module ?? {};
  const wasEmpty = resources.length + modules.length + document.resource_drift.length === 0;
  if (!wasEmpty || !state?.objects) return;
  throw new FlywheelError(
    'conflict',
    `the state ${site.backend.name} was there before, and empty while it was planned`,
    { details: { hint: 'Nothing was changed. GitLab has answered without it; plan again.' } },
  );
}
