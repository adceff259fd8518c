import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { formatEditorSchema } from './editor-schema.ts';
import { loadOverLeast } from './test-organization.ts';

const root = resolve(import.meta.dirname, '../../..');
const schema = z.fromJSONSchema(JSON.parse(formatEditorSchema()) as z.core.JSONSchema.JSONSchema);

function accepts(text: string): boolean {
  return schema.safeParse(parse(text)).success;
}

test('an editor finds nothing in the examples', () => {
  const examples = globSync('config/{*.example.yaml,examples/*.yaml}', { cwd: root });

  expect(examples).toHaveLength(4);
  for (const example of examples) {
    const { error } = schema.safeParse(parse(readFileSync(join(root, example), 'utf8')));
    expect(`${example}: ${error?.message}`).toBe(`${example}: undefined`);
  }
});

const FILE = `
apiVersion: flywheel/v1
organization: { name: acme }
gitlab: { group: acme, groupId: 1, deployProject: { path: acme/infrastructure, id: 2 } }
images: { repository: registry.example.org/acme }
`;

test.each([
  ['overrides of any section', 'cache: { replicas: { max: 3 } }', true],
  [
    'a deleted section, list and value',
    'runners: { a: { $delete: true, }, b: { tags: { $delete: true }, timeout: { $delete: true } } }',
    true,
  ],
  ['a replaced map', 'cache: { caches: { $replace: true, main: {} } }', true],
  ['a number for a quantity', 'runners: { docker: { resources: { requests: { cpu: 2 } } } }', true],
  ['a key that is not there', 'cache: { replica: { max: 3 } }', false],
  ['a value of another type', 'cache: { replicas: { max: three } }', false],
  ['what is the same everywhere', 'organization: { name: other }', false],
])('overrides: %s', (_, overrides, accepted) => {
  const environment = `{ role: production, context: c, domain: x.org, overrides: { ${overrides} } }`;

  expect(accepts(`${FILE}environments: { production: ${environment} }`)).toBe(accepted);
});

test('it takes what validation takes, in a file that deletes and replaces', () => {
  const text = `${FILE}
environments: { production: { role: production, context: c, domain: x.org } }
runners: { docker: { tags: [a], isolation: { $replace: true } } }
dashboard: { access: [{ group: acme, role: viewer }] }
`;

  expect(accepts(text)).toBe(true);
  expect(loadOverLeast(text).issues).toEqual([]);
});
