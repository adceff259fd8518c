import { expect, test } from 'vitest';
import type { Manifest } from './manifest.ts';
import { schemaIssues } from './schema.ts';
import type { Schema } from './schema.ts';
import { SchemaSet } from './schema-set.ts';

const SPEC: Schema = {
  type: 'object',
  required: ['schedule'],
  properties: {
    schedule: { type: 'string', pattern: '^[0-9* ]+$' },
    method: { type: 'string', enum: ['plugin', 'volumeSnapshot'] },
    instances: { type: 'integer', minimum: 1 },
    port: { 'x-kubernetes-int-or-string': true },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    hosts: { type: 'array', minItems: 1, items: { $ref: '#/definitions/Host' } },
    anything: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
};
const HOST: Schema = { type: 'object', properties: { name: { type: 'string' } } };

function issues(value: unknown): readonly string[] {
  return schemaIssues(value, SPEC, { Host: HOST }, 'spec');
}

test('a value that fits', () => {
  const value = {
    schedule: '0 30 2 * * *',
    method: 'plugin',
    instances: 3,
    port: 'http',
    labels: { app: 'cache' },
    hosts: [{ name: 'a' }],
    anything: { goes: [1] },
  };
  expect(issues(value)).toEqual([]);
});

test.each<[string, object]>([
  ['spec.schedule is missing', {}],
  ['spec.schedule is null', { schedule: null }],
  ['spec.schedule is "daily", which does not match ^[0-9* ]+$', { schedule: 'daily' }],
  ['spec.method is "tar", not one of plugin, volumeSnapshot', { schedule: '0', method: 'tar' }],
  ['spec.instances is below 1', { schedule: '0', instances: 0 }],
  ['spec.instances is no whole number', { schedule: '0', instances: 1.5 }],
  ['spec.instances is no number', { schedule: '0', instances: '3' }],
  ['spec.port is neither a whole number nor a string', { schedule: '0', port: true }],
  ['spec.labels.app is no string', { schedule: '0', labels: { app: 1 } }],
  ['spec.hosts has the wrong size', { schedule: '0', hosts: [] }],
  ['spec.hosts[0].port is no known field', { schedule: '0', hosts: [{ port: 1 }] }],
  ['spec.retention is no known field', { schedule: '0', retention: '30d' }],
  ['spec.hosts is no list', { schedule: '0', hosts: {} }],
])('%s', (issue, value) => {
  expect(issues(value)).toEqual([issue]);
});

test('schemas are found by version and kind, in both forms', () => {
  const schemas = new SchemaSet();
  schemas.addOpenApi(
    JSON.stringify({
      definitions: {
        Thing: {
          type: 'object',
          properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: {} },
          'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'Thing' }],
        },
      },
    }),
  );
  schemas.addDefinitions(`
kind: CustomResourceDefinition
spec:
  group: example.org
  names: { kind: Backup }
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          properties:
            apiVersion: { type: string }
            kind: { type: string }
            spec: { type: object, properties: { bucket: { type: string } } }
`);
  const object = (apiVersion: string, kind: string, rest: object): Manifest => ({
    apiVersion,
    kind,
    metadata: { name: 'x' },
    ...rest,
  });
  expect(schemas.issues(object('v1', 'Thing', { size: 1 }))).toEqual(['size is no known field']);
  expect(schemas.issues(object('example.org/v1', 'Backup', { spec: { path: 'x' } }))).toEqual([
    'spec.path is no known field',
  ]);
  expect(schemas.issues(object('example.org/v2', 'Backup', {}))).toBeUndefined();
});
