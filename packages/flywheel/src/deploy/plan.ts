import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { countChanges, makePlan, writeReports } from '@flywheel/deploy';
import type { MadePlan, Stack } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED } from '../exit.ts';
import { nameOf } from '../organization/read-organization.ts';
import { createOutput } from '../output/index.ts';
import type { Output, OutputFlags } from '../output/index.ts';
import { chooseStacks } from './choose-stacks.ts';
import { openDeployment } from './deployment.ts';
import type { Deployment, DeployFlags } from './deployment.ts';
import { lossFlags, printPlan, whereFlags } from './show-plan.ts';

export interface PlanFlags extends OutputFlags, DeployFlags {
  readonly all?: boolean;
  readonly destroy?: boolean;
  readonly check?: boolean;
  readonly report?: string;
}

export async function runPlan(context: CliContext, flags: PlanFlags, name?: string): Promise<void> {
  const output = createOutput(context, flags);
  const deployment = await openDeployment(context, flags);
  const chosen = chooseStacks(deployment.stacks, name, flags.all ?? false);
  const destroy = flags.destroy ?? false;
  const plans: MadePlan[] = [];
  for (const stack of destroy ? chosen.toReversed() : chosen) {
    const keep = flags.check !== true;
    plans.push(await planStack(context, output, deployment, stack, { destroy, keep }));
  }
  for (const plan of plans) printPlan(output, plan);
  if (flags.report !== undefined) {
    const files = await writeReports(resolve(context.cwd, flags.report), plans);
    output.note(`Written: ${files.map((file) => nameOf(context, file)).join(', ')}`);
  }
  if (flags.check !== true) sayHowToApply(output, deployment, flags, plans, name);
  output.result({ environment: deployment.environment, stacks: plans.map(planResult) });
  if (flags.check === true && plans.some(({ changed }) => changed)) {
    context.process.exitCode = EXIT_FAILED;
  }
}

/** Plans one stack, showing how far it is. */
export async function planStack(
  context: CliContext,
  output: Output,
  deployment: Deployment,
  stack: Stack,
  options: { readonly destroy: boolean; readonly keep?: boolean },
): Promise<MadePlan> {
  const site = await deployment.site(stack);
  using step = output.step(`Plan ${stack.name}`, { unit: 'items' });
  const { plan, opened } = await makePlan(site, {
    ...options,
    onMessage: ({ type }) => {
      if (type === 'refresh_complete') step.advance(1);
    },
  });
  step.finish(plan.changed ? 'there are changes' : 'no changes');
  if (opened.newLockFile !== undefined) {
    const { path, bytes } = opened.newLockFile;
    await keepLockFile(context, output, path, bytes);
  }
  return plan;
}

/** The versions of providers are pinned by whoever plans first, and reviewed like any other change. */
async function keepLockFile(
  context: CliContext,
  output: Output,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const name = nameOf(context, path);
  // A pipeline would forget it, and others may have a folder that is mounted to be read.
  const written =
    !context.process.env['CI'] &&
    (await writeFile(path, bytes).then(
      () => true,
      () => false,
    ));
  output.note(
    written
      ? `${name} is new: it pins the providers. Commit it.`
      : `${name} is missing: the providers of this run are not pinned. Plan on your machine, and commit the one that it writes.`,
  );
}

function sayHowToApply(
  output: Output,
  deployment: Deployment,
  flags: PlanFlags,
  plans: readonly MadePlan[],
  name: string | undefined,
): void {
  if (!plans.some(({ changed }) => changed)) return;
  const losses = lossFlags(plans);
  if (losses.length > 0) output.print('It would destroy what holds data, which has to be named.');
  const words = ['./flywheel apply', name ?? '--all', ...whereFlags(deployment, flags), ...losses];
  output.print(`Apply just this: ${words.join(' ')}`);
}

/** The plan for scripts. */
export function planResult(plan: MadePlan) {
  return { ...plan, counts: countChanges(plan.changes) };
}
