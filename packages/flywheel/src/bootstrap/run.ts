import { planSecrets, writeSecrets } from '@flywheel/deploy';
import type { Stack } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import { applyStack } from '../deploy/apply.ts';
import { openDeployment } from '../deploy/deployment.ts';
import type { Deployment, DeployFlags } from '../deploy/deployment.ts';
import { planStack } from '../deploy/plan.ts';
import { printPlan, whereFlags } from '../deploy/show-plan.ts';
import { checkCluster } from '../doctor/cluster/run.ts';
import { printFinding } from '../doctor/run.ts';
import { EXIT_FAILED } from '../exit.ts';
import { createOutput } from '../output/index.ts';
import type { Output, OutputFlags } from '../output/index.ts';
import { openSecrets } from '../secrets/open-secrets.ts';
import { countIncomplete, printPlans } from '../secrets/show-plan.ts';

export interface BootstrapFlags extends OutputFlags, DeployFlags {
  readonly yes?: boolean;
}

/** What is in the way, with the step that goes on. */
interface Halt {
  readonly at: string;
  readonly next: string;
  /** A plan that waits to be read is no failure. */
  readonly failed: boolean;
}

/**
 * Goes as far as it can on the way of a first deployment. Each step finds out by itself whether it is
 * done, so what was interrupted, or waited for somebody, goes on where it was.
 */
export async function runBootstrap(context: CliContext, flags: BootstrapFlags): Promise<void> {
  const output = createOutput(context, flags);
  const deployment = await openDeployment(context, flags);
  const halt =
    (await haltAtCluster(context, flags, output)) ??
    (await haltAtSecrets(context, flags, output)) ??
    (await haltAtStacks(context, flags, output, deployment));
  output.print(halt?.next ?? `Everything is deployed in ${deployment.environment}.`);
  output.result({
    environment: deployment.environment,
    done: halt === undefined,
    ...(halt === undefined ? {} : { haltedAt: halt.at, next: halt.next }),
  });
  if (halt?.failed === true) context.process.exitCode = EXIT_FAILED;
}

async function haltAtCluster(
  context: CliContext,
  flags: BootstrapFlags,
  output: Output,
): Promise<Halt | undefined> {
  // The next step writes Secrets, and says itself what is missing.
  const findings = (await checkCluster(context, flags)).filter(({ name }) => name !== 'Secrets');
  const failed = findings.filter(({ status }) => status === 'failed');
  output.print(output.style('bold', 'The cluster'));
  for (const finding of findings) printFinding(output, finding);
  output.print();
  if (failed.length === 0) return undefined;
  return { at: 'cluster', next: 'Mend what failed, and start again.', failed: true };
}

async function haltAtSecrets(
  context: CliContext,
  flags: BootstrapFlags,
  output: Output,
): Promise<Halt | undefined> {
  const { cluster, needed, make } = await openSecrets(context, flags);
  const plans = await planSecrets(cluster, needed, { env: context.process.env }, make);
  const incomplete = countIncomplete(plans);
  // All or nothing: what is missing may be the reason for another choice.
  if (incomplete === 0) await writeSecrets(cluster, plans);
  output.print(output.style('bold', 'Secrets'));
  printPlans(output, plans, incomplete === 0);
  output.print();
  if (incomplete === 0) return undefined;
  return { at: 'secrets', next: 'Give what is missing, and start again.', failed: true };
}

async function haltAtStacks(
  context: CliContext,
  flags: BootstrapFlags,
  output: Output,
  deployment: Deployment,
): Promise<Halt | undefined> {
  for (const stack of deployment.stacks) {
    const options = { destroy: false };
    const plan = await planStack(context, output, deployment, stack, options);
    printPlan(output, plan);
    if (!plan.changed) continue;
    if (flags.yes !== true) return reviewFirst(flags, deployment, stack);
    await applyStack(output, deployment, stack, []);
  }
  return undefined;
}

function reviewFirst(flags: BootstrapFlags, deployment: Deployment, { name }: Stack): Halt {
  const words = ['./flywheel apply', name, ...whereFlags(deployment, flags)];
  const next = `Read this plan, apply it, and start again for the next step:\n  ${words.join(' ')}`;
  return { at: name, next, failed: false };
}
