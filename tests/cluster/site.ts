import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing, outputOf, startKubernetes, startPostgres, startTofu } from '@flywheel/testing';
import type { Kubernetes, Missing, Tofu } from '@flywheel/testing';
import { MODULES } from '../tofu/module-folders.ts';
import { makeDeployment, NAMESPACE } from './deployment.ts';
import type { Deployment } from './deployment.ts';
import { forward } from './forward.ts';
import { importImages } from './images.ts';
import type { BuildImages } from './images.ts';
import { buildJobImage } from './pipeline-job.ts';

/** A cluster with our images, and what it takes to deploy a cache. */
export interface Site extends AsyncDisposable {
  readonly kubernetes: Kubernetes;
  readonly deployment: Deployment;
  /** Runs kubectl in the cache's namespace, and answers what it prints. Throws when it fails. */
  kubectl(...args: readonly string[]): Promise<string>;
}

/** A site whose database is beside the cluster: at this port of the machine's address. */
export interface CacheSite extends Site {
  readonly databasePort: number;
  /** OpenTofu over a copy of modules and stacks. */
  readonly tofu: Tofu;
}

export async function openSite(): Promise<CacheSite | Missing> {
  await using opened = new AsyncDisposableStack();
  const ground = await openGround(buildJobImage);
  if (isMissing(ground)) return ground;
  opened.use(ground);
  const { kubernetes, tofu, kubectl } = ground;
  const postgres = await startPostgres();
  if (isMissing(postgres)) return postgres;
  opened.use(postgres);

  const host = kubernetes.hostAddress;
  opened.use(await forward(host, postgres.port));
  await makeVolumes(kubernetes, 1);
  const databaseUrl = (await postgres.createDatabase()).replace('127.0.0.1', host);
  const deployment = opened.use(
    await makeDeployment(tofu, {
      kubeconfig: kubernetes.kubeconfig,
      env: { FLYWHEEL_SECRET_CACHE_DATABASE_URL: databaseUrl },
      keys: { 'cache.database.external': { port: postgres.port, cidrs: [`${host}/32`] } },
    }),
  );
  const parts = opened.move();
  return {
    kubernetes,
    deployment,
    databasePort: postgres.port,
    tofu,
    kubectl,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** A cluster with images, and tofu for it. */
export interface Ground extends Pick<Site, 'kubernetes' | 'kubectl'>, AsyncDisposable {
  readonly tofu: Tofu;
}

export async function openGround(buildMore?: BuildImages): Promise<Ground | Missing> {
  await using opened = new AsyncDisposableStack();
  const kubernetes = await startKubernetes();
  if (isMissing(kubernetes)) return kubernetes;
  opened.use(kubernetes);
  const lacking = await importImages(kubernetes, buildMore);
  if (lacking !== undefined) return lacking;
  const tofu = await startTofu(dirname(MODULES), { kubeconfig: kubernetes.kubeconfig });
  if (isMissing(tofu)) return tofu;
  opened.use(tofu);
  const kubectl = async (...args: readonly string[]): Promise<string> =>
    outputOf(await kubernetes.kubectl([`--namespace=${NAMESPACE}`, ...args]), args.join(' '));
  const parts = opened.move();
  return { kubernetes, tofu, kubectl, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/** Folders of the machine as volumes, which claims without a class get. */
export async function makeVolumes(kubernetes: Kubernetes, count: number): Promise<void> {
  const items: object[] = [];
  for (let number = 1; number <= count; number += 1) {
    const path = join(kubernetes.folder, `volume-${number}`);
    await mkdir(path);
    // Kubernetes does not give such a volume to the group of a pod.
    await chmod(path, 0o777);
    items.push({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `test-${number}` },
      spec: {
        capacity: { storage: '10Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        hostPath: { path },
      },
    });
  }
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  outputOf(await kubernetes.kubectl(['create', '-f', '-'], list), 'volumes');
}
