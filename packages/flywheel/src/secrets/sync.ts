import { resolve } from 'node:path';
import { planSecrets, rollWorkload, workloadsWith, writeSecrets } from '@flywheel/deploy';
import type { SecretPlan, Workload } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED } from '../exit.ts';
import type { EnvironmentFlags } from '../organization/one-environment.ts';
import { createOutput } from '../output/index.ts';
import type { Output, OutputFlags } from '../output/index.ts';
import { openSecrets } from './open-secrets.ts';
import type { OpenSecrets } from './open-secrets.ts';
import { countIncomplete, describePlan, printPlans } from './show-plan.ts';

export interface SyncFlags extends OutputFlags, EnvironmentFlags {
  readonly dryRun?: boolean;
  readonly from?: string;
  readonly restart?: boolean;
  /** Milliseconds that replaced pods may take. */
  readonly timeout: number;
}

export async function runSecretsSync(context: CliContext, flags: SyncFlags): Promise<void> {
  const output = createOutput(context, flags);
  const opened = await openSecrets(context, flags);
  const { environment, cluster, needed, make } = opened;
  const from = {
    env: context.process.env,
    ...(flags.from === undefined ? {} : { folder: resolve(context.cwd, flags.from) }),
  };
  const plans = await planSecrets(cluster, needed, from, make);
  const written = flags.dryRun !== true;
  if (written) await writeSecrets(cluster, plans);

  output.print(`Environment ${environment.name}, context ${cluster.context}\n`);
  printPlans(output, plans, written);
  const incomplete = countIncomplete(plans);
  output.print(`\n${closing(plans, written, incomplete)}`);
  const affected = await affectedBy(opened, plans);
  if (affected.length > 0) await takeUp(context, flags, output, opened, affected);
  output.result({
    environment: environment.name,
    context: cluster.context,
    written,
    secrets: plans.map(describePlan),
    affected: affected.map(({ kind, name }) => ({ kind, name })),
  });
  if (incomplete > 0) context.process.exitCode = EXIT_FAILED;
}

function closing(plans: readonly SecretPlan[], written: boolean, incomplete: number): string {
  const changes = plans.filter(({ state }) => state === 'make' || state === 'change').length;
  if (incomplete > 0) return `${incomplete} of ${plans.length} Secrets are incomplete.`;
  if (changes === 0) return 'Everything is there: nothing to write.';
  return written ? `${changes} written.` : `${changes} would be written. Nothing was.`;
}

/** What has read a changed Secret at its start. Servers read the keys of tokens while they run. */
async function affectedBy(
  { cluster }: OpenSecrets,
  plans: readonly SecretPlan[],
): Promise<readonly Workload[]> {
  const changed = plans.filter(
    ({ state, needed }) => state === 'change' && needed.role !== 'cacheKeys',
  );
  const found = new Map<string, Workload>();
  for (const { needed } of changed) {
    for (const workload of await workloadsWith(cluster, needed.namespace, needed.name)) {
      found.set(workload.path, workload);
    }
  }
  return [...found.values()];
}

async function takeUp(
  context: CliContext,
  flags: SyncFlags,
  output: Output,
  { cluster }: OpenSecrets,
  affected: readonly Workload[],
): Promise<void> {
  const names = affected.map(({ kind, name }) => `${kind} ${name}`).join(', ');
  if (flags.restart !== true || flags.dryRun === true) {
    output.print(`Read at their start by ${names}: --restart replaces their pods.`);
    return;
  }
  for (const workload of affected) {
    output.note(`Replacing the pods of ${workload.kind} ${workload.name} …`);
    await rollWorkload(cluster, workload, {
      now: () => context.clock.now(),
      timeoutMs: flags.timeout,
      signal: context.signal,
    });
  }
  output.print(`Replaced the pods of ${names}.`);
}
