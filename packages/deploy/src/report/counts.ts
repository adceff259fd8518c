import type { PlannedChange } from '../plan/planned-change.ts';

/** How many objects a plan touches; a replaced one is both created and destroyed. */
export interface Counts {
  readonly create: number;
  readonly update: number;
  readonly delete: number;
}

export function countChanges(changes: readonly PlannedChange[]): Counts {
  const count = (...actions: readonly string[]): number =>
    changes.filter(({ action }) => actions.includes(action)).length;
  return {
    create: count('create', 'replace'),
    update: count('update'),
    delete: count('delete', 'replace'),
  };
}

/** "3 to create, 1 to change", or "no changes". */
export function formatCounts(counts: Counts): string {
  const parts = [
    [counts.create, 'to create'],
    [counts.update, 'to change'],
    [counts.delete, 'to destroy'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return said.length === 0 ? 'no changes' : said.join(', ');
}
