import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  /**
   * Keep the plan, so that it can be applied: the default. Who only looks leaves one that was kept before as it is,
   * and does not wait for the lock of the state.
   */
  readonly keep?: boolean;
  readonly onMessage?: (message: TofuMessage) => void;
}

/** Plans a stack. A plan that is kept has a record of what it was made of. */
export async function makePlan(
  site: StackSite,
  options: PlanOptions,
): Promise<{ readonly plan: MadePlan; readonly opened: OpenStack }> {
  const { destroy, keep = true, onMessage } = options;
  const file = keep ? planFile(site) : join(site.folder, 'look.tfplan');
  // What was planned before must not be applied when this fails.
  if (keep) await removePlan(file, recordFile(site));
  const opened = await openStack(site);
  await runTofu(
    opened.tofu,
    [
      'plan',
      '-json',
      '-input=false',
      '-detailed-exitcode',
      `-lock=${keep}`,
      `-out=${file}`,
      ...(destroy ? ['-destroy'] : []),
    ],
    { statuses: [0, 2], ...(onMessage === undefined ? {} : { onMessage }) },
  );
  const document = await readPlan(opened, file);
  requireSameState(opened, document);
  const summary = summarizePlan(document);
  const record = recordPlan(opened.ingredients, await readFile(file), destroy);
  if (keep) await writePlanRecord(recordFile(site), record);
  else await removePlan(file);
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
  return summarizePlan(await readPlan(opened, planFile(opened.site)));
}

async function readPlan({ tofu }: OpenStack, file: string): Promise<PlanDocument> {
  return parsePlanDocument(await readTofu(tofu, ['show', '-json', file]));
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
