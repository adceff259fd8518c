import type { MadePlan } from '../plan/make-plan.ts';
import { unnamedLosses } from '../plan/protection.ts';
import { countChanges, formatCounts } from './counts.ts';

/**
 * Each stack as a test: it fails when it would destroy what holds data, and says what it would do in
 * any case. GitLab shows that beside the tests of a merge request.
 */
export function junitReport(plans: readonly MadePlan[]): string {
  const failures = plans.filter(({ changes }) => unnamedLosses(changes, []).length > 0).length;
  const cases = plans.map(testCase).join('');
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<testsuites>\n  <testsuite name="flywheel plan" tests="${plans.length}" failures="${failures}">\n` +
    `${cases}  </testsuite>\n</testsuites>\n`
  );
}

function testCase(plan: MadePlan): string {
  const { stack, environment, changes } = plan;
  const losses = unnamedLosses(changes, []);
  const failure =
    losses.length === 0
      ? ''
      : `      <failure message="${escape(`It would destroy what holds data: ${losses.join(', ')}`)}"/>\n`;
  const lines = [formatCounts(countChanges(changes)), ...changes.map(describeChange)];
  return (
    `    <testcase classname="${escape(environment)}" name="${escape(stack)}">\n${failure}` +
    `      <system-out>${escape(lines.join('\n'))}</system-out>\n    </testcase>\n`
  );
}

function describeChange({ action, label }: MadePlan['changes'][number]): string {
  return `${action} ${label}`;
}

/** What XML does not allow at all is left out. */
function escape(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
