import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isMissing, startKubernetesApi } from '@flywheel/testing';
import type { ControlPlane } from '@flywheel/testing';
import { definition } from './definition.ts';
import { NAMESPACE, secretsCommands } from './secrets-commands.ts';
import type { SecretsCommands } from './secrets-commands.ts';

const found = await startKubernetesApi();

describe('flywheel doctor --cluster, with a real API server', () => {
  if (isMissing(found)) test('all of it', ({ skip }) => skip(found.missing));
  else declare(found);
});

interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'failed' | 'absent';
  readonly summary: string;
  readonly remedy?: string;
}

function declare(plane: ControlPlane): void {
  let commands: SecretsCommands;
  beforeAll(async () => {
    commands = await secretsCommands(plane);
    await commands.organization();
  });
  afterAll(async () => {
    await commands[Symbol.asyncDispose]();
    await plane[Symbol.asyncDispose]();
  });

  async function doctor(env: Readonly<Record<string, string>> = {}) {
    const { stdout, status, stderr } = await commands.run(['doctor', '--cluster', '--json'], env);
    expect(stderr).toBe('');
    const { checks } = JSON.parse(stdout) as { readonly checks: readonly Finding[] };
    const find = (name: string): Finding | undefined => checks.find((each) => each.name === name);
    return { status, checks, find };
  }

  test('of a bare cluster, each failure comes with its remedy', async () => {
    const { status, checks, find } = await doctor();

    expect(status).toBe(1);
    expect(find('API server')).toMatchObject({ status: 'ok' });
    expect(find('API server')?.summary).toMatch(/^v1\.\d+\.\d+, context flywheel-test$/);
    expect(find('Permissions')).toMatchObject({ status: 'ok' });
    expect(find('Namespace')?.summary).toBe(`${NAMESPACE} is not there yet: it is made`);
    expect(find('Ingress namespace')).toEqual({
      name: 'Ingress namespace',
      status: 'failed',
      summary: 'there is no namespace ingress-nginx: network policies would let nobody in',
      remedy: 'Name the right one in organization.yaml: ingress.namespace.',
    });
    expect(find('Storage class')).toEqual({
      name: 'Storage class',
      status: 'failed',
      summary: 'no class is the default',
      remedy:
        'Name one in organization.yaml, cache.database.cnpg.storageClass and cache.storage.minio.storageClass. The cluster has none.',
    });
    expect(find('Ingress class')?.remedy).toBe(
      'Deploy an ingress controller, or set ingress.kind to gateway.',
    );
    expect(find('Metrics API')).toMatchObject({ status: 'failed', summary: 'is not there' });
    expect(find('CloudNativePG')).toMatchObject({ status: 'absent', summary: 'is not there yet' });
    expect(find('Operator manifests')?.remedy).toBe(
      'Record it, read what was fetched, and commit it:\n./flywheel vendor pin plugin-barman-cloud',
    );
    expect(find('Secrets')?.summary).toBe('nobody has given what belongs into flywheel-backups');
    for (const { status: found, remedy } of checks)
      if (found === 'failed') expect(remedy).toBeTruthy();
  });

  test('what is there is good, and what is asked for decides', async () => {
    await commands.organization({
      'cache.backups': { enabled: false },
      'cache.replicas': { min: 2, max: 2 },
      'cache.database': { cnpg: { storageClass: 'fast' } },
    });
    await plane.kubectl(['create', 'namespace', 'ingress-nginx']);
    const metadata = {
      name: 'standard',
      annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
    };
    const storage = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', provisioner: 'none' };
    await commands.apply({ ...storage, metadata });
    await commands.apply({ ...storage, metadata: { name: 'fast' } });
    await commands.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'nginx' },
      spec: { controller: 'k8s.io/ingress-nginx' },
    });
    await commands.apply(definition('postgresql.cnpg.io', 'clusters', 'Cluster'));
    await commands.run(['secrets', 'sync']);

    const { checks } = await doctor();

    const known = checks.filter(({ name }) => name !== 'Registry' && name !== 'Provider locks');
    expect(known.map(({ name, status, summary }) => `${status} ${name}: ${summary}`)).toEqual([
      expect.stringMatching(/^ok API server: v1\./),
      `ok Namespace: ${NAMESPACE} is there`,
      'ok Ingress namespace: ingress-nginx is there',
      expect.stringMatching(/^ok Permissions: all \d+ that the stacks need$/),
      'ok Storage class: fast, standard (default)',
      'ok Ingress class: nginx',
      'ok CloudNativePG: is there',
      expect.stringMatching(/^ok Operator manifests: pinned in .*: cloudnative-pg$/),
      'ok Secrets: all 4 are there',
    ]);
  });

  test('who may little is told what is missing', async () => {
    const { status, find } = await doctor({ KUBECONFIG: await plane.kubeconfigOf('scheduler') });

    expect(status).toBe(1);
    expect(find('Secrets')).toMatchObject({ status: 'absent', summary: 'this user may not look' });
    expect(find('Permissions')?.remedy).toContain(
      `create, patch, delete deployments.apps in ${NAMESPACE}\n`,
    );
  });

  test('without a way to the cluster, that alone is said', async () => {
    const { status, checks } = await doctor({ KUBECONFIG: '/nonexistent' });

    expect(status).toBe(1);
    expect(checks).toEqual([
      {
        name: 'API server',
        status: 'failed',
        summary: 'there is no kubeconfig: /nonexistent',
        remedy: 'Set KUBECONFIG to the file that has the context of the environment.',
      },
    ]);
  });
}
