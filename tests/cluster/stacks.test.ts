import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CNPG_RELEASE,
  customResources,
  figure,
  isMissing,
  outputOf,
  startGitlabState,
  startKubernetesApi,
  startTofu,
} from '@flywheel/testing';
import type { ControlPlane, GitlabState, RunResult, Tofu } from '@flywheel/testing';
import { makeWorkplace } from '../tofu/flywheel-process.ts';
import type { Workplace } from '../tofu/flywheel-process.ts';
import { MODULES } from '../tofu/module-folders.ts';
import { withKeys } from './organization-keys.ts';
import type { Keys } from './organization-keys.ts';
import { playPods } from './pods-double.ts';

const NAMESPACE = 'flywheel-cache';
const TOKEN = 'glpat-canary-of-the-tests';

/** What is there before our stacks: the kinds of Prometheus' operator and of the Gateway API. */
const DEFINITIONS = [
  'monitoring.coreos.com_podmonitors',
  'monitoring.coreos.com_prometheusrules',
  'monitoring.coreos.com_servicemonitors',
  'gateway.networking.k8s.io_httproutes',
];

const [plane, tofu] = [await startKubernetesApi(), await startTofu(dirname(MODULES))];
const resources = await customResources();

describe('all stacks, with a real API server and states in GitLab', () => {
  if (isMissing(plane)) test('all of it', ({ skip }) => skip(plane.missing));
  else if (isMissing(tofu)) test('all of it', ({ skip }) => skip(tofu.missing));
  else if (typeof resources !== 'string') test('all of it', ({ skip }) => skip(resources.missing));
  else declare(plane, { planner: tofu, definitions: resources });
});

function declare(
  api: ControlPlane,
  { planner, definitions }: { readonly planner: Tofu; readonly definitions: string },
): void {
  let gitlab: GitlabState;
  let place: Workplace;
  let pods: AsyncDisposable;

  beforeAll(async () => {
    gitlab = await startGitlabState({ projectId: 2002, token: TOKEN });
    place = await makeWorkplace(planner, {
      env: {
        TF_HTTP_PASSWORD: TOKEN,
        KUBECONFIG: api.kubeconfig,
        KUBE_HOST: '',
        KUBE_LOAD_CONFIG_FILE: 'true',
        FLYWHEEL_VENDOR_MIRROR: 'mirror',
      },
    });
    await setKeys({
      'gitlab.url': gitlab.url,
      'environments.production.context': 'flywheel-test',
      'dashboard.enabled': false,
      'monitoring.enabled': true,
    });
    for (const name of DEFINITIONS) {
      const apply = ['apply', '--server-side', '-f', join(definitions, `${name}.yaml`)];
      outputOf(await api.kubectl(apply), name);
    }
    outputOf(await api.kubectl(['create', 'namespace', 'monitoring']), 'a namespace');
    const release = definitionsIn(await readFile(join(definitions, CNPG_RELEASE), 'utf8'));
    const plugin = await readFile(
      join(definitions, 'barmancloud.cnpg.io_objectstores.yaml'),
      'utf8',
    );
    await place.write('mirror/cloudnative-pg-1.0.0.yaml', release);
    await place.write('mirror/plugin-barman-cloud-1.0.0.yaml', plugin);
    await place.write(
      'config/vendor.lock.yaml',
      lockFile({ 'cloudnative-pg': release, 'plugin-barman-cloud': plugin }),
    );
    pods = playPods(api, NAMESPACE);
  });

  afterAll(async () => {
    for (const part of [pods, place, gitlab, planner, api]) await part[Symbol.asyncDispose]();
  });

  async function setKeys(keys: Keys): Promise<void> {
    const file = 'config/organization.yaml';
    await place.write(file, withKeys(await place.read(file), keys));
  }

  async function run(...words: readonly string[]): Promise<RunResult> {
    return place.flywheel([...words, '--stacks', join(planner.root, 'stacks')]);
  }

  async function succeed(...words: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await run(...words);
    expect(stderr).not.toMatch(/^Error:/m);
    expect(status).toBe(0);
    return stdout;
  }

  test('they are planned and applied in their order', async () => {
    const planned = await succeed('plan', '--all');
    expect(planned).toContain('operators in production: 12 to create');
    expect(planned).toContain('attic in production: 35 to create');

    await succeed('apply', '--all');

    const { stdout } = await api.kubectl(['get', 'deployments', '-n', NAMESPACE, '-o', 'name']);
    expect(stdout).toBe('deployment.apps/attic-api\ndeployment.apps/attic-gc\n');
    expect(await succeed('output', 'attic', 'url')).toBe('https://cache.flywheel.example.org/\n');
  });

  test('a second plan has nothing to do', async () => {
    const startedMs = Date.now();
    const planned = await succeed('plan', '--all', '--check');
    figure('plan_applied_stacks_ms', Date.now() - startedMs, 'ms', { max: 15_000 });
    expect(planned).toBe(
      'operators in production: no changes\n\nattic in production: no changes\n\n',
    );
  });

  test('the cache is behind a Gateway in place of an Ingress', async () => {
    await setKeys({
      'ingress.kind': 'gateway',
      'ingress.gateway': { name: 'public', namespace: 'gateways' },
    });
    const planned = await succeed('plan', 'attic');
    expect(planned).toContain('+ HTTPRoute/flywheel-cache/attic');
    expect(planned).toContain('- Ingress/flywheel-cache/attic');

    await succeed('apply', 'attic');

    const route = await api.kubectl(['get', 'httproute', 'attic', '-n', NAMESPACE, '-o', 'json']);
    expect(JSON.parse(route.stdout)).toMatchObject({
      spec: {
        hostnames: ['cache.flywheel.example.org'],
        parentRefs: [{ kind: 'Gateway', name: 'public', namespace: 'gateways' }],
        rules: [{ backendRefs: [{ kind: 'Service', name: 'attic', port: 80 }] }],
      },
    });
    await succeed('plan', 'attic', '--check');
  });

  test('neither a state nor a plan holds what is secret', () => {
    const versions = ['production-operators', 'production-attic'].flatMap((name) =>
      gitlab.versions(name),
    );
    expect(versions.length).toBeGreaterThan(0);
    for (const text of versions) {
      expect(text).not.toContain(TOKEN);
      expect(text).not.toMatch(/"kind": ?"Secret"/);
    }
  });

  test('what somebody changed in the cluster is seen, and not overwritten', async () => {
    const budget = ['pdb', 'attic-api', '-n', NAMESPACE];
    const change = async (maxUnavailable: number): Promise<void> => {
      const patch = JSON.stringify({ spec: { maxUnavailable } });
      const patched = await api.kubectl(['patch', ...budget, '--type=merge', '-p', patch]);
      expect(patched.stderr).toBe('');
    };
    await change(2);

    const checked = await run('plan', 'attic', '--check');
    expect(checked.status).toBe(1);
    expect(checked.stdout).toContain('~ PodDisruptionBudget/flywheel-cache/attic-api');
    await succeed('plan', 'attic');
    const applied = await run('apply', 'attic');
    expect(applied.status).toBe(9);
    expect(applied.stderr).toContain('conflict with "kubectl-patch" using policy/v1');

    await change(1);
    expect(await succeed('plan', 'attic')).toContain('attic in production: no changes');
  });

  test('a database is only destroyed when it is named', async () => {
    await setKeys({ 'cache.database.engine': 'external' });
    const planned = await succeed('plan', 'attic');
    expect(planned).toContain('- Cluster/flywheel-cache/attic-db');
    expect(planned).toContain('--allow-destroy Cluster/flywheel-cache/attic-db');

    const refused = await run('apply', 'attic');
    expect(refused.status).toBe(7);
    expect(refused.stderr).toContain(
      'attic would destroy what holds data: Cluster/flywheel-cache/attic-db',
    );
    const cluster = ['get', 'clusters.postgresql.cnpg.io', 'attic-db', '-n', NAMESPACE];
    expect((await api.kubectl(cluster)).status).toBe(0);

    await succeed('apply', 'attic', '--allow-destroy', 'Cluster/flywheel-cache/attic-db');
    expect((await api.kubectl(cluster)).status).toBe(1);
  });

  test('a destroy leaves what has to stay, and nothing else', async () => {
    const refused = await run('destroy', '--all', '--yes');
    expect(refused.status).toBe(7);
    expect(refused.stderr).toContain('StatefulSet/flywheel-cache/minio');

    await succeed(
      'destroy',
      '--all',
      '--yes',
      '--allow-destroy',
      'StatefulSet/flywheel-cache/minio',
    );

    const kinds = 'deployments,statefulsets,services,configmaps,networkpolicies,jobs,pdb,hpa';
    const left = await api.kubectl(['get', kinds, '-n', NAMESPACE, '-o', 'name']);
    expect(left.stdout).toBe('configmap/kube-root-ca.crt\n');
    expect((await api.kubectl(['get', 'namespace', NAMESPACE])).status).toBe(0);
    expect((await api.kubectl(['get', 'crd', 'clusters.postgresql.cnpg.io'])).status).toBe(0);
  });
}

/** Of a published release. No operator runs here: what else is in it would wait for one. */
function definitionsIn(release: string): string {
  return release
    .split(/^---$/m)
    .filter((document) => /^kind: CustomResourceDefinition$/m.test(document))
    .join('---');
}

function lockFile(releases: Readonly<Record<string, string>>): string {
  const entries = Object.entries(releases).map(([name, text]) => {
    const sha256 = createHash('sha256').update(text).digest('hex');
    return `  ${name}:\n    version: 1.0.0\n    url: https://example.org/${name}\n    sha256: ${sha256}\n`;
  });
  return `manifests:\n${entries.join('')}`;
}
