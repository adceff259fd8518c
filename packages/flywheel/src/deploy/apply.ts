import { applyPlan, countChanges } from '@flywheel/deploy';
import type { PlanSummary, Stack, TofuMessage } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import { createOutput } from '../output/index.ts';
import type { Output, OutputFlags, Progress } from '../output/index.ts';
import { chooseStacks } from './choose-stacks.ts';
import { openDeployment } from './deployment.ts';
import type { Deployment, DeployFlags } from './deployment.ts';

export interface ApplyFlags extends OutputFlags, DeployFlags {
  readonly all?: boolean;
  readonly allowDestroy?: readonly string[];
}

export async function runApply(
  context: CliContext,
  flags: ApplyFlags,
  name?: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const deployment = await openDeployment(context, flags);
  const chosen = chooseStacks(deployment.stacks, name, flags.all ?? false);
  const applied = [];
  for (const stack of chosen) {
    const summary = await applyStack(output, deployment, stack, flags.allowDestroy ?? []);
    applied.push({ stack: stack.name, counts: countChanges(summary.changes), ...summary });
  }
  output.result({ environment: deployment.environment, stacks: applied });
}

/** Applies the saved plan of a stack, naming each object when it is done. */
export async function applyStack(
  output: Output,
  deployment: Deployment,
  stack: Stack,
  allowDestroy: readonly string[],
): Promise<PlanSummary> {
  const site = await deployment.site(stack);
  using step = output.step(`Apply ${stack.name}`, { unit: 'items' });
  let labels: ReadonlyMap<string, string> = new Map();
  const summary = await applyPlan(site, {
    allowDestroy,
    onStart: ({ changes }) => {
      step.setTotal(changes.length);
      labels = new Map(changes.map(({ address, label }) => [address, label]));
    },
    onMessage: (message) => showProgress(output, step, labels, message),
  });
  step.finish(formatDone(summary));
  return summary;
}

function formatDone({ changes }: PlanSummary): string {
  const counts = countChanges(changes);
  const parts = [
    [counts.create, 'created'],
    [counts.update, 'changed'],
    [counts.delete, 'destroyed'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return said.join(', ') || 'there was nothing to change';
}

const DONE: Readonly<Record<string, string>> = {
  create: 'created',
  update: 'changed',
  delete: 'destroyed',
};

function showProgress(
  output: Output,
  step: Progress,
  labels: ReadonlyMap<string, string>,
  { type, hook }: TofuMessage,
): void {
  if (hook === undefined || (type !== 'apply_complete' && type !== 'apply_errored')) return;
  const label = labels.get(hook.resource.addr) ?? hook.resource.addr;
  const seconds = hook.elapsed_seconds ?? 0;
  const done = DONE[hook.action ?? ''];
  if (type === 'apply_errored') output.note(`  ${label}: failed after ${seconds} s`);
  else if (done !== undefined) output.note(`  ${label}: ${done} in ${seconds} s`);
  if (type === 'apply_complete') step.advance(1);
}
