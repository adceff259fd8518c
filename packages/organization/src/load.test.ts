import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIssue } from './issue.ts';
import { loadOverLeast } from './test-organization.ts';

const KEYS =
  'apiVersion organization gitlab environments production overrides cache caches main upstreams url ' +
  'replicas min max backups storage minio runners docker dind tags image scaling isolation ' +
  'resources limits dashboard access group role networkPolicy egress name images ' +
  '$delete $replace constructor __proto__ a.b << 0';
const key = fc.constantFrom(...KEYS.split(' '), '', ' ');

const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(
      fc.constantFrom(true, false, null, 0, -1, 1.5, 1e300, '10Gi', '1h', 'forever'),
      key,
      fc.string(),
    ),
    fc.dictionary(key, tie('value'), { maxKeys: 5 }),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
}));

/** What may be said of any text: nothing throws, and every mistake is at a place in a file. */
function expectOnlyIssues(...texts: readonly string[]): void {
  const { issues, base, environments } = loadOverLeast(...texts);

  for (const issue of issues) {
    expect(issue.origin.start).toBeLessThanOrEqual(issue.origin.source.text.length);
    expect(formatIssue(issue)).toMatch(/^(?:o|upstream)\.yaml:\d+:\d+: \S/);
  }
  if (issues.length > 0) return;
  for (const { organization } of [base, ...environments.values()].filter(
    (one) => one !== undefined,
  )) {
    expect(organization).toBeDefined();
  }
  expect(base).toBeDefined();
}

test('whatever is in a file, mistakes are issues', () => {
  fc.assert(
    fc.property(value, value, (lower, upper) => {
      expectOnlyIssues(JSON.stringify(lower), JSON.stringify(upper));
    }),
    { numRuns: 200, examples: [[true, { $delete: true, apiVersion: '' }]] },
  );
});

test('whatever stands in one place of the file, mistakes are issues', () => {
  const path = fc.array(key, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(path, value, (keys, leaf) => {
      const text = keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), leaf);

      expectOnlyIssues(JSON.stringify(text));
    }),
    { numRuns: 200 },
  );
});

test('whatever is no YAML, mistakes are issues', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('cache:', '  a: [', ' - {', '\t', '"', '---', '&a', '*a', '? x', '!!map', '|'),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      expectOnlyIssues(lines.join('\n'));
    }),
    { numRuns: 200 },
  );
});
