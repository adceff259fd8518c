import type { FieldChange } from '../plan/fields.ts';
import type { MadePlan } from '../plan/make-plan.ts';
import type { Action, PlannedChange } from '../plan/planned-change.ts';
import { unnamedLosses } from '../plan/protection.ts';
import { countChanges, formatCounts } from './counts.ts';

const VERBS: Readonly<Record<Action, string>> = {
  create: 'create',
  update: 'change',
  replace: 'replace',
  delete: 'destroy',
  forget: 'forget',
};

/** GitLab refuses comments above a million characters; nobody reads this much. */
const MAX_OBJECTS = 200;
const MAX_VALUE = 200;

/** The plans as a comment for a merge request. */
export function markdownReport(plans: readonly MadePlan[]): string {
  const rows = plans.map(
    ({ stack, environment, changes, digest }) =>
      `| ${stack} | ${environment} | ${formatCounts(countChanges(changes))} | \`${digest.slice(0, 12)}\` |`,
  );
  const sections = plans.filter(({ changed }) => changed).map(section);
  return `${['### Plan', '', '| Stack | Environment | Changes | Digest |', '| - | - | - | - |', ...rows, ...sections].join('\n')}\n`;
}

function section(plan: MadePlan): string {
  const { stack, changes, changedOutside } = plan;
  const losses = unnamedLosses(changes, []);
  const lines = changes.slice(0, MAX_OBJECTS).flatMap(objectLines);
  const more = changes.length - MAX_OBJECTS;
  return [
    '',
    ...(losses.length === 0
      ? []
      : [`**${stack} would destroy what holds data:** ${losses.map(code).join(', ')}`, '']),
    ...(changedOutside.length === 0
      ? []
      : [`Changed outside of ${stack}: ${changedOutside.map(code).join(', ')}`, '']),
    `<details><summary>${stack}: ${formatCounts(countChanges(changes))}</summary>`,
    '',
    ...lines,
    ...(more > 0 ? [`- and ${more} more`] : []),
    '',
    '</details>',
  ].join('\n');
}

function objectLines({ action, label, kept, fields }: PlannedChange): readonly string[] {
  const note = kept && action === 'delete' ? ' (stays in the cluster)' : '';
  return [
    `- ${VERBS[action]} ${code(label)}${note}`,
    ...fields.map((field) => `  - ${change(field)}`),
  ];
}

function change({ path, before, after }: FieldChange): string {
  if (before === undefined) return `${code(path)}: ${code(short(after ?? ''))} is new`;
  if (after === undefined) return `${code(path)}: ${code(short(before))} goes`;
  return `${code(path)}: ${code(short(before))} → ${code(short(after))}`;
}

function short(value: string): string {
  return value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE)}…` : value;
}

/** A code span that no text can break out of. */
function code(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${line}${fence}` : `${fence} ${line} ${fence}`;
}
