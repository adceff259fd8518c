import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing, outputOf, startKubernetes, startPostgres, startTofu } from '@flywheel/testing';
import type { Kubernetes, Missing } from '@flywheel/testing';
import { MODULES } from '../tofu/module-folders.ts';
import { makeDeployment, NAMESPACE } from './deployment.ts';
import type { Deployment } from './deployment.ts';
import { forward } from './forward.ts';
import { importImages } from './images.ts';

/** A cluster with our images, a database beside it, and what it takes to deploy a cache. */
export interface Site extends AsyncDisposable {
  readonly kubernetes: Kubernetes;
  readonly deployment: Deployment;
  /** Where the database is reached, at the address of this machine. */
  readonly databasePort: number;
  /** Runs kubectl in the cache's namespace, and answers what it prints. Throws when it fails. */
  kubectl(...args: readonly string[]): Promise<string>;
}

export async function openSite(): Promise<Site | Missing> {
  await using opened = new AsyncDisposableStack();
  const kubernetes = await startKubernetes();
  if (isMissing(kubernetes)) return kubernetes;
  opened.use(kubernetes);
  const lacking = await importImages(kubernetes);
  if (lacking !== undefined) return lacking;
  const tofu = await startTofu(dirname(MODULES), { kubeconfig: kubernetes.kubeconfig });
  if (isMissing(tofu)) return tofu;
  opened.use(tofu);
  const postgres = await startPostgres();
  if (isMissing(postgres)) return postgres;
  opened.use(postgres);

  const host = kubernetes.hostAddress;
  opened.use(await forward(host, postgres.port));
  const kubectl = async (...args: readonly string[]): Promise<string> =>
    outputOf(await kubernetes.kubectl([`--namespace=${NAMESPACE}`, ...args]), args.join(' '));

  await makeVolume(kubernetes);
  const databaseUrl = (await postgres.createDatabase()).replace('127.0.0.1', host);
  const { kubeconfig } = kubernetes;
  const deployment = opened.use(await makeDeployment(tofu, { kubeconfig, databaseUrl }));
  const parts = opened.move();
  return { kubernetes, deployment, kubectl, databasePort: postgres.port, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/** A folder of the machine as a volume, which the one claim without a class gets. */
async function makeVolume(kubernetes: Kubernetes): Promise<void> {
  const path = join(kubernetes.folder, 'volume');
  await mkdir(path);
  // Kubernetes does not give such a volume to the group of a pod.
  await chmod(path, 0o777);
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'test' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path },
    },
  };
  outputOf(await kubernetes.kubectl(['create', '-f', '-'], JSON.stringify(volume)), 'a volume');
}
