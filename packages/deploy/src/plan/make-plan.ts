import { readFile } from 'node:fs/promises';
import { openStack, planFile, recordFile } from '../stacks/open-stack.ts';
import type { OpenStack, StackSite } from '../stacks/open-stack.ts';
import { readTofu, runTofu } from '../tofu/run-tofu.ts';
import type { TofuMessage } from '../tofu/message.ts';
import { recordPlan, removePlan, writePlanRecord } from './plan-record.ts';
import { hasChanges, summarizePlan } from './planned-change.ts';
import type { PlanSummary } from './planned-change.ts';
import { parsePlanDocument } from './show-json.ts';

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
  const summary = await showPlan(opened);
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
export async function showPlan({ site, tofu }: OpenStack): Promise<PlanSummary> {
  return summarizePlan(parsePlanDocument(await readTofu(tofu, ['show', '-json', planFile(site)])));
}
