import { countChanges, formatCounts, unnamedLosses } from '@flywheel/deploy';
import type { Action, FieldChange, MadePlan, PlannedChange } from '@flywheel/deploy';
import type { Output } from '../output/index.ts';
import type { Deployment, DeployFlags } from './deployment.ts';

const SIGNS: Readonly<Record<Action, string>> = {
  create: '+',
  update: '~',
  replace: '±',
  delete: '-',
  forget: '·',
};
const COLOURS = {
  create: 'green',
  update: 'yellow',
  replace: 'yellow',
  delete: 'red',
  forget: 'dim',
} as const;

/** A value of a field, at most. */
const MAX_VALUE = 100;

export function printPlan(output: Output, plan: MadePlan): void {
  const { stack, environment, changes, outputs, changedOutside, isNew } = plan;
  const head = `${stack} in ${environment}: ${formatCounts(countChanges(changes))}`;
  output.print(output.style('bold', head));
  if (isNew && changes.length > 0) output.print('There is no state yet: everything is new.');
  for (const label of changedOutside) output.print(`  changed outside: ${label}`);
  for (const change of changes) printChange(output, change);
  for (const { name, action, fields } of outputs) {
    output.print(`  ${sign(output, action)} output ${name}`);
    for (const field of fields) output.print(`      ${formatField(field)}`);
  }
  output.print();
}

function printChange(output: Output, change: PlannedChange): void {
  const { action, label, address, kept, fields } = change;
  const where = label === address ? '' : `  ${output.style('dim', address)}`;
  const note = kept && action === 'delete' ? ' (stays in the cluster)' : '';
  output.print(`  ${sign(output, action)} ${label}${note}${where}`);
  for (const field of fields) output.print(`      ${formatField(field)}`);
  if (action === 'update' && fields.length === 0) {
    output.print('      (it is not as the last apply has left it)');
  }
}

function sign(output: Output, action: Action): string {
  return output.style(COLOURS[action], SIGNS[action]);
}

function formatField({ path, before, after }: FieldChange): string {
  return `${path}: ${before === undefined ? 'nothing' : short(before)} → ${after === undefined ? 'nothing' : short(after)}`;
}

function short(value: string): string {
  return value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE)}…` : value;
}

/** The flags by which a following command finds the same states. */
export function whereFlags(
  { environment }: Pick<Deployment, 'environment'>,
  { backend }: Pick<DeployFlags, 'backend'>,
): readonly string[] {
  return [`--environment ${environment}`, ...(backend === 'local' ? ['--backend local'] : [])];
}

/** What must be named to apply these plans, as the flags to add. */
export function lossFlags(plans: readonly MadePlan[]): readonly string[] {
  return plans.flatMap(({ changes }) =>
    unnamedLosses(changes, []).map((label) => `--allow-destroy ${label}`),
  );
}
