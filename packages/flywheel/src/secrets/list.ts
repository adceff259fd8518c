import { planSecrets } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import type { EnvironmentFlags } from '../organization/one-environment.ts';
import { createOutput, formatTable } from '../output/index.ts';
import type { OutputFlags } from '../output/index.ts';
import { openSecrets } from './open-secrets.ts';
import { describePlan } from './show-plan.ts';

const WORDS = {
  complete: 'complete',
  make: 'not there',
  change: 'differs from what is given',
  foreign: 'complete',
  incomplete: 'incomplete',
} as const;

export async function runSecretsList(
  context: CliContext,
  flags: OutputFlags & EnvironmentFlags,
): Promise<void> {
  const output = createOutput(context, flags);
  const { environment, cluster, needed, make } = await openSecrets(context, flags);
  const plans = await planSecrets(cluster, needed, { env: context.process.env }, make);
  const rows = plans.map(({ needed: { role, name, what }, state, stored }) => [
    role,
    name,
    stored === undefined ? 'not there' : WORDS[state],
    stored === undefined ? '–' : stored.ours ? 'flywheel' : stored.keeper,
    what,
  ]);
  output.print(formatTable([['KEY', 'SECRET', 'STATE', 'KEPT BY', 'WHAT'], ...rows]));
  output.result({
    environment: environment.name,
    context: cluster.context,
    secrets: plans.map(describePlan),
  });
}
