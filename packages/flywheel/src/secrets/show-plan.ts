import type { SecretPlan } from '@flywheel/deploy';
import { formatTable } from '../output/index.ts';
import type { Output } from '../output/index.ts';

/** What a state is called before and after it was acted upon. */
const WORDS = {
  complete: ['complete', 'complete'],
  make: ['would be made', 'made'],
  change: ['would be changed', 'changed'],
  foreign: ['complete', 'complete'],
  incomplete: ['incomplete', 'incomplete'],
} as const;

/** Names and where entries come from, never a value. */
export function printPlans(output: Output, plans: readonly SecretPlan[], written: boolean): void {
  const rows = plans.map(({ needed, state, entries, stored }) => [
    needed.name,
    WORDS[state][written ? 1 : 0] + keptBy(stored),
    entries.map(({ key, origin }) => `${key} (${origin})`).join(', '),
  ]);
  output.print(formatTable([['SECRET', 'STATE', 'ENTRIES'], ...rows]));
  for (const plan of plans) for (const line of problemOf(plan)) output.print(line);
}

/** As scripts get it. */
export function describePlan({ needed, state, entries, stored }: SecretPlan): unknown {
  const { role, name, namespace, what } = needed;
  return { role, name, namespace, what, state, keeper: keeperOf(stored), entries };
}

export function countIncomplete(plans: readonly SecretPlan[]): number {
  return plans.filter(({ state }) => state === 'incomplete').length;
}

/** How to complete a Secret; nothing when it is. */
function problemOf({ needed, state, entries, stored }: SecretPlan): readonly string[] {
  if (state !== 'incomplete') return [];
  const missing = entries.filter(({ origin }) => origin === 'missing');
  const keys = missing.map(({ key }) => key).join(', ');
  const head = `\n${needed.name} lacks ${keys}: ${needed.what}.`;
  if (stored !== undefined && !stored.ours) {
    return [head, `  It belongs to ${stored.keeper} and is never changed here: add them there.`];
  }
  const variables = missing.flatMap(({ variable }) => variable ?? []);
  return [
    head,
    `  Set ${variables.join(', ')}, the same with _FILE behind it for files,`,
    `  or put files into DIR/${needed.name}/ and give --from DIR.`,
  ];
}

function keptBy(stored: SecretPlan['stored']): string {
  return stored === undefined || stored.ours ? '' : `, kept by ${stored.keeper}`;
}

function keeperOf(stored: SecretPlan['stored']): string | null {
  return stored === undefined ? null : stored.ours ? 'flywheel' : stored.keeper;
}
