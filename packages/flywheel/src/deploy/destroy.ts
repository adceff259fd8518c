import { countChanges } from '@flywheel/deploy';
import type { MadePlan } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import { createOutput } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { applyStack } from './apply.ts';
import { chooseStacks } from './choose-stacks.ts';
import { openDeployment } from './deployment.ts';
import type { DeployFlags } from './deployment.ts';
import { planResult, planStack } from './plan.ts';
import { lossFlags, printPlan, whereFlags } from './show-plan.ts';

export interface DestroyFlags extends OutputFlags, DeployFlags {
  readonly all?: boolean;
  readonly allowDestroy?: readonly string[];
  readonly yes?: boolean;
}

export async function runDestroy(
  context: CliContext,
  flags: DestroyFlags,
  name?: string,
): Promise<void> {
  const output = createOutput(context, flags);
  const deployment = await openDeployment(context, flags);
  // What stands on others goes before them.
  const chosen = chooseStacks(deployment.stacks, name, flags.all ?? false).toReversed();
  // Who only looks leaves nothing that an apply would take.
  const keep = flags.yes === true;
  const plans: MadePlan[] = [];
  for (const stack of chosen) {
    const plan = await planStack(context, output, deployment, stack, { destroy: true, keep });
    printPlan(output, plan);
    plans.push(plan);
    if (keep) await applyStack(output, deployment, stack, flags.allowDestroy ?? []);
  }
  if (!keep && plans.some(({ changes }) => countChanges(changes).delete > 0)) {
    const words = [
      './flywheel destroy',
      name ?? '--all',
      ...whereFlags(deployment, flags),
      '--yes',
      ...lossFlags(plans),
    ];
    output.print(`Nothing is destroyed yet. To do it: ${words.join(' ')}`);
  }
  output.result({
    environment: deployment.environment,
    destroyed: keep,
    stacks: plans.map(planResult),
  });
}
