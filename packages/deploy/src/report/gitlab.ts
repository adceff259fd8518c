import type { MadePlan } from '../plan/make-plan.ts';
import { countChanges } from './counts.ts';
import type { Counts } from './counts.ts';

/** The report that GitLab shows in a merge request: `artifacts:reports:terraform`. */
export function gitlabReport(plans: readonly MadePlan[]): Counts {
  return countChanges(plans.flatMap(({ changes }) => changes));
}
