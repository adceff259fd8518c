import { readFile } from 'node:fs/promises';
import { FlywheelError, toFlywheelError } from '@flywheel/base';
import { findCluster } from '../cluster/find-cluster.ts';
import { openStack, planFile, recordFile, rememberState } from '../stacks/open-stack.ts';
import type { OpenStack, StackSite } from '../stacks/open-stack.ts';
import { runTofu } from '../tofu/run-tofu.ts';
import type { TofuMessage } from '../tofu/message.ts';
import { showPlan } from './make-plan.ts';
import { readPlanRecord, removePlan, requireUnchanged } from './plan-record.ts';
import type { PlanSummary } from './planned-change.ts';
import { requireNames } from './protection.ts';

export interface ApplyOptions {
  /** Labels of objects that hold data and may be destroyed. */
  readonly allowDestroy: readonly string[];
  /** Called with what will be done, when nothing can stop it any more but an error. */
  readonly onStart?: (summary: PlanSummary) => void;
  readonly onMessage?: (message: TofuMessage) => void;
}

/**
 * Applies the saved plan of a stack, and no other: throws `conflict` when what it was made of has
 * changed, `forbidden` when it would destroy data that nobody has named, `not-found` without the
 * context of the environment.
 */
export async function applyPlan(site: StackSite, options: ApplyOptions): Promise<PlanSummary> {
  const record = await readPlanRecord(recordFile(site), site.stack.name);
  const opened = await openStack(site);
  const plan = await readFile(planFile(site)).catch((error: unknown) => {
    throw toFlywheelError(error, `read the plan of ${site.stack.name}`);
  });
  requireUnchanged(record, plan, opened.ingredients);
  requireExpectedState(opened);
  const summary = await showPlan(opened);
  requireNames(site.stack.name, summary.changes, options.allowDestroy);
  await requireContext(site, summary);
  options.onStart?.(summary);
  await applyFile(opened, options.onMessage);
  return summary;
}

async function applyFile(
  { site, tofu, state: before }: OpenStack,
  onMessage?: (message: TofuMessage) => void,
): Promise<void> {
  const files = [planFile(site), recordFile(site)];
  try {
    await runTofu(
      tofu,
      ['apply', '-json', '-input=false', planFile(site)],
      onMessage === undefined ? {} : { onMessage },
    );
  } catch (error) {
    // A plan that was begun is spent; one that never got the lock is as good as before.
    const now = await rememberState(site).catch(() => undefined);
    if (now !== undefined && now.serial !== before?.serial) await removePlan(...files);
    throw error;
  }
  await removePlan(...files);
  await rememberState(site);
}

/** Without the context, the provider would look for a cluster on this machine. */
async function requireContext(site: StackSite, { changes }: PlanSummary): Promise<void> {
  const { environment, organization } = site;
  const context = organization.environments[environment]?.context;
  if (context === undefined || !changes.some(({ object }) => object !== undefined)) return;
  await findCluster(context, site);
}

/**
 * On a machine that remembers no states, an empty one is as likely lost as new. Only the first apply
 * of all has to say which.
 */
function requireExpectedState({ site, state }: OpenStack): void {
  const isEmpty = state === undefined || state.objects === 0;
  if (!isEmpty || site.acceptState || !site.env['CI']) return;
  throw new FlywheelError('conflict', `the state ${site.backend.name} is empty`, {
    details: {
      hint:
        'A pipeline does not know whether that is right: everything would be made anew. Nothing was changed.\n' +
        'If this is the first deployment: --accept-state.',
    },
  });
}
