import { expect, test } from 'vitest';
import { compareFields, flatten } from './fields.ts';
import { recordPlan, requireUnchanged } from './plan-record.ts';
import type { Ingredients } from './plan-record.ts';
import { summarizePlan } from './planned-change.ts';
import type { PlannedChange } from './planned-change.ts';
import { requireNames, unnamedLosses } from './protection.ts';
import { parsePlanDocument } from './show-json.ts';

/** What `tofu show -json` says of one object. */
function manifest(actions: readonly string[], before: object | null, after: object | null) {
  return {
    address: 'module.a.kubectl_manifest.b',
    mode: 'managed',
    type: 'kubectl_manifest',
    change: {
      actions,
      before: before && values(before),
      after: after && values(after),
      after_unknown: { id: true },
      before_sensitive: before ? { yaml_body: true } : false,
      after_sensitive: { yaml_body: true },
    },
  };
}

function values(object: object) {
  const { kind, apiVersion, metadata, applyOnly, ...rest } = object as Record<string, unknown>;
  const { name, namespace = '' } = metadata as Record<string, unknown>;
  const body = JSON.stringify({ kind, apiVersion, metadata, ...rest });
  return {
    kind,
    name,
    namespace,
    api_version: apiVersion,
    apply_only: applyOnly === true,
    yaml_body: body,
    yaml_body_parsed: body,
  };
}

function changesOf(...resources: readonly object[]): readonly PlannedChange[] {
  return summarizePlan(parsePlanDocument({ resource_changes: resources })).changes;
}

const object = (kind: string, name: string, more: object = {}, apiVersion = 'v1') => ({
  kind,
  apiVersion,
  metadata: { name, namespace: 'ns' },
  ...more,
});

test('an object is named as people know it, and compared field by field', () => {
  const before = object('Deployment', 'api', {
    spec: {
      containers: [
        { name: 'a', image: 'x:1' },
        { name: 'b', image: 'y:1' },
      ],
    },
  });
  const after = object('Deployment', 'api', {
    spec: {
      containers: [{ name: 'new' }, { name: 'a', image: 'x:2' }, { name: 'b', image: 'y:1' }],
    },
  });
  expect(changesOf(manifest(['update'], before, after))).toMatchObject([
    {
      action: 'update',
      label: 'Deployment/ns/api',
      fields: [
        { path: 'spec.containers[a].image', before: '"x:1"', after: '"x:2"' },
        { path: 'spec.containers[new].name', after: '"new"' },
      ],
    },
  ]);
});

test('nothing of a Secret is shown, nor of what names itself a secret', () => {
  const secret = (value: string) => object('Secret', 's', { data: { a: value } });
  const pod = (value: string) =>
    object('Pod', 'p', {
      spec: {
        env: [{ name: 'DB_PASSWORD', value }],
        config: { apiToken: value, secretKey: value },
        automountServiceAccountToken: value === 'hush-2',
        token_keys_secret: value === 'hush-2' ? 'other' : 'name',
      },
    });
  const changes = changesOf(
    manifest(['update'], secret('hush-1'), secret('hush-2')),
    manifest(['update'], pod('hush-1'), pod('hush-2')),
  );
  expect(JSON.stringify(changes)).not.toContain('hush');
  expect(changes[1]?.fields).toEqual([
    { path: 'spec.automountServiceAccountToken', before: 'false', after: 'true' },
    { path: 'spec.token_keys_secret', before: '"name"', after: '"other"' },
  ]);
});

test('a text that is marked once is hidden wherever it is', () => {
  const change = {
    address: 'terraform_data.a',
    mode: 'managed',
    type: 'terraform_data',
    change: {
      actions: ['update'],
      before: { input: 'hush-1', output: 'hush-1', note: 'plain' },
      after: { input: 'hush-2', note: 'other' },
      after_unknown: { output: true },
      before_sensitive: { input: true },
      after_sensitive: { input: true },
    },
  };
  expect(changesOf(change)[0]?.fields).toEqual([
    { path: 'note', before: '"plain"', after: '"other"' },
    { path: 'output', before: '(sensitive value)', after: '(known after apply)' },
  ]);
});

test('outputs are compared too, the sensitive ones without their values', () => {
  const { outputs } = summarizePlan(
    parsePlanDocument({
      output_changes: {
        same: { actions: ['no-op'], before: 1, after: 1 },
        url: { actions: ['update'], before: 'a', after: 'b' },
        key: {
          actions: ['update'],
          before: 'hush-1',
          after: 'hush-2',
          before_sensitive: true,
          after_sensitive: true,
        },
      },
    }),
  );
  expect(outputs).toEqual([
    { name: 'url', action: 'update', fields: [{ path: 'url', before: '"a"', after: '"b"' }] },
    {
      name: 'key',
      action: 'update',
      fields: [{ path: 'key', before: '(sensitive value)', after: '(sensitive value)' }],
    },
  ]);
});

test('the empty, the absent and null are told apart', () => {
  expect(compareFields(flatten({ a: '', b: null, c: [] }), flatten({ a: 'x' }))).toEqual([
    { path: 'a', before: '""', after: '"x"' },
  ]);
});

test('a plan of another format is refused', () => {
  expect(() => parsePlanDocument({ resource_changes: [{ address: 1 }] })).toThrow(
    'describes plans in another format',
  );
});

const CLAIMS = { spec: { volumeClaimTemplates: [{ metadata: { name: 'data' } }] } };

test.each([
  ['a namespace', object('Namespace', 'n'), true],
  ['a claim', object('PersistentVolumeClaim', 'n'), true],
  ['a definition', object('CustomResourceDefinition', 'n'), true],
  ['a database', object('Cluster', 'n', {}, 'postgresql.cnpg.io/v1'), true],
  ['a cluster of something else', object('Cluster', 'n', {}, 'cluster.x-k8s.io/v1beta1'), false],
  ['a bucket', object('Bucket', 'n', {}, 's3.services.k8s.aws/v1alpha1'), true],
  ['pods with claims', object('StatefulSet', 'n', CLAIMS), true],
  ['pods without', object('StatefulSet', 'n', { spec: {} }), false],
  ['a service', object('Service', 'n'), false],
  ['a namespace that is kept', object('Namespace', 'n', { applyOnly: true }), false],
])('%s is destroyed only when it is named: %#', (_what, before, holdsData) => {
  for (const change of [
    manifest(['delete'], before, null),
    manifest(['delete', 'create'], before, before),
  ]) {
    const changes = changesOf(change);
    const label = `${before.kind}/ns/n`;
    expect(unnamedLosses(changes, [])).toEqual(holdsData ? [label] : []);
    expect(unnamedLosses(changes, [label])).toEqual([]);
    if (holdsData) expect(() => requireNames('attic', changes, ['n'])).toThrow(label);
  }
  expect(unnamedLosses(changesOf(manifest(['update'], before, before)), [])).toEqual([]);
});

test('a bucket of another provider counts, too', () => {
  const change = {
    address: 'aws_s3_bucket.packs',
    mode: 'managed',
    type: 'aws_s3_bucket',
    change: { actions: ['delete'], before: { bucket: 'packs' }, after: null },
  };
  expect(unnamedLosses(changesOf(change), [])).toEqual(['aws_s3_bucket.packs']);
});

const MADE: Ingredients = {
  environment: 'production',
  stack: 'attic',
  backend: 'https://gitlab.example.org/state',
  files: { 'a.tf': '1', 'b.tf': '2' },
  state: { lineage: 'l', serial: 3 },
};

test('a plan is taken when nothing has changed, whatever the order of files', () => {
  const record = recordPlan(MADE, Buffer.from('plan'), false);
  const reordered = { ...MADE, files: { 'b.tf': '2', 'a.tf': '1' } };
  expect(() => requireUnchanged(record, Buffer.from('plan'), reordered)).not.toThrow();
  expect(record.digest).toMatch(/^[0-9a-f]{64}$/);
});

test.each<[string, Partial<Ingredients>]>([
  ['a.tf has changed', { files: { 'a.tf': '9', 'b.tf': '2' } }],
  ['c.tf is new', { files: { ...MADE.files, 'c.tf': '3' } }],
  ['b.tf is gone', { files: { 'a.tf': '1' } }],
  ['the state was written: serial 3 → 4', { state: { lineage: 'l', serial: 4 } }],
  ['the state is another one', { state: { lineage: 'm', serial: 3 } }],
  ['the state was https://gitlab.example.org/state, now file', { backend: 'file' }],
  ['it is for attic in production', { environment: 'staging' }],
])('a plan is refused: %s', (why, change) => {
  const record = recordPlan(MADE, Buffer.from('plan'), false);
  expect(() => requireUnchanged(record, Buffer.from('plan'), { ...MADE, ...change })).toThrow(
    expect.objectContaining({
      code: 'conflict',
      details: expect.objectContaining({ changed: [why] }),
    }),
  );
});

test('a plan is refused when it or its record was exchanged', () => {
  const record = recordPlan(MADE, Buffer.from('plan'), false);
  expect(() => requireUnchanged(record, Buffer.from('other'), MADE)).toThrow(
    expect.objectContaining({
      details: expect.objectContaining({ changed: ['the saved plan is another file'] }),
    }),
  );
  const edited = { ...record, destroy: true };
  expect(() => requireUnchanged(edited, Buffer.from('plan'), MADE)).toThrow(
    expect.objectContaining({
      details: expect.objectContaining({ changed: ['the record of the plan was edited'] }),
    }),
  );
});

test('what gets another name is named as what goes', () => {
  const [was, is] = [object('Namespace', 'old'), object('Namespace', 'new')];
  const changes = changesOf(manifest(['delete', 'create'], was, is));
  expect(unnamedLosses(changes, ['Namespace/ns/new'])).toEqual(['Namespace/ns/old']);
});
