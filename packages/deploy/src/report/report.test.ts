import { expect, test } from 'vitest';
import type { MadePlan } from '../plan/make-plan.ts';
import type { PlannedChange } from '../plan/planned-change.ts';
import { countChanges, formatCounts } from './counts.ts';
import { gitlabReport } from './gitlab.ts';
import { junitReport } from './junit.ts';
import { markdownReport } from './markdown.ts';

function change(action: PlannedChange['action'], kind: string, more: Partial<PlannedChange> = {}) {
  return {
    address: `kubectl_manifest.${kind}`,
    type: 'kubectl_manifest',
    action,
    label: `${kind}/ns/n`,
    object: { kind, apiVersion: 'v1', namespace: 'ns', name: 'n' },
    kept: false,
    fields: [],
    hasClaims: false,
    ...more,
  };
}

function plan(stack: string, ...changes: readonly PlannedChange[]): MadePlan {
  return {
    stack,
    environment: 'production',
    destroy: false,
    digest: '0123456789abcdef',
    isNew: false,
    changed: changes.length > 0,
    changes,
    outputs: [],
    changedOutside: [],
  };
}

const PLANS = [
  plan('operators'),
  plan(
    'attic',
    change('create', 'Service'),
    change('replace', 'Job'),
    change('delete', 'PersistentVolumeClaim'),
    change('update', 'ConfigMap', {
      fields: [{ path: 'data.a', before: '"```\\n<b>"', after: '"`"' }],
    }),
  ),
];

test('a replaced object is created and destroyed', () => {
  expect(gitlabReport(PLANS)).toEqual({ create: 2, update: 1, delete: 2 });
  expect(formatCounts(countChanges(PLANS[1]?.changes ?? []))).toBe(
    '2 to create, 1 to change, 2 to destroy',
  );
  expect(formatCounts(countChanges([]))).toBe('no changes');
});

test('the comment of a merge request', () => {
  expect(markdownReport(PLANS)).toBe(`### Plan

| Stack | Environment | Changes | Digest |
| - | - | - | - |
| operators | production | no changes | \`0123456789ab\` |
| attic | production | 2 to create, 1 to change, 2 to destroy | \`0123456789ab\` |

**attic would destroy what holds data:** \`PersistentVolumeClaim/ns/n\`

<details><summary>attic: 2 to create, 1 to change, 2 to destroy</summary>

- create \`Service/ns/n\`
- replace \`Job/ns/n\`
- destroy \`PersistentVolumeClaim/ns/n\`
- change \`ConfigMap/ns/n\`
  - \`data.a\`: \`\`\`\` "\`\`\`\\n<b>" \`\`\`\` → \`\` "\`" \`\`

</details>
`);
});

test('a stack that would lose data fails in the report of tests', () => {
  const report = junitReport(PLANS);
  expect(report).toContain('<testsuite name="flywheel plan" tests="2" failures="1">');
  expect(report).toContain(
    '<failure message="It would destroy what holds data: PersistentVolumeClaim/ns/n"/>',
  );
  const odd = junitReport([plan('a', change('create', 'A', { label: '<&"\u0000\u001b>' }))]);
  expect(odd).toContain('create &lt;&amp;&quot;&gt;');
});
