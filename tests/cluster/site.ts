import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import {
  isMissing,
  outputOf,
  runChild,
  startKubernetes,
  startPostgres,
  startTofu,
} from '@flywheel/testing';
import type { Kubernetes, Missing } from '@flywheel/testing';
import { MODULES } from '../tofu/module-folders.ts';
import { Deployment, NAMESPACE } from './deployment.ts';
import { forward } from './forward.ts';
import { IMAGES, importImages } from './images.ts';

const LAUNCHER = resolve(import.meta.dirname, '../../flywheel');

/** A cluster with our images, a database and an object store beside it, and Secrets for a cache. */
export interface Site extends AsyncDisposable {
  readonly kubernetes: Kubernetes;
  readonly deployment: Deployment;
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
  const tofu = await startTofu(MODULES, { kubeconfig: kubernetes.kubeconfig });
  if (isMissing(tofu)) return tofu;
  opened.use(tofu);
  const postgres = await startPostgres();
  if (isMissing(postgres)) return postgres;
  opened.use(postgres);

  const host = kubernetes.hostAddress;
  opened.use(await forward(host, postgres.port));
  const kubectl = async (...args: readonly string[]): Promise<string> =>
    outputOf(await kubernetes.kubectl([`--namespace=${NAMESPACE}`, ...args]), args.join(' '));

  await kubectl('create', 'namespace', NAMESPACE);
  const databaseUrl = (await postgres.createDatabase()).replace('127.0.0.1', host);
  await makeSecret(kubectl, 'attic-database', { uri: databaseUrl });
  await makeSecret(kubectl, 'attic-s3', {
    AWS_ACCESS_KEY_ID: 'cache',
    AWS_SECRET_ACCESS_KEY: randomBytes(16).toString('hex'),
  });
  await makeSecret(kubectl, 'minio-root', {
    MINIO_ROOT_USER: 'administrator',
    MINIO_ROOT_PASSWORD: randomBytes(16).toString('hex'),
  });
  await makeVolume(kubernetes);
  await makeTokenKeys(kubectl);

  const settings = {
    image: IMAGES.cache,
    minioImage: IMAGES.minio,
    host,
    databasePort: postgres.port,
  };
  const deployment = await Deployment.make(tofu, settings);
  const parts = opened.move();
  return { kubernetes, deployment, kubectl, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

async function makeSecret(
  kubectl: Site['kubectl'],
  name: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const literals = Object.entries(values).map(([key, value]) => `--from-literal=${key}=${value}`);
  await kubectl('create', 'secret', 'generic', name, ...literals);
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

async function makeTokenKeys(kubectl: Site['kubectl']): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'token-keys-'));
  const keys = join(folder, 'keys');
  await mkdir(keys);
  const command = [LAUNCHER, 'cache', 'key', 'add', '--token-keys', keys, '--data', folder];
  const made = await runChild(command, { env: { PATH: '/usr/bin:/bin', HOME: folder } });
  if (made.status !== 0) throw new FlywheelError('internal', `key add: ${made.stderr}`);
  await kubectl('create', 'secret', 'generic', 'attic-token-keys', `--from-file=${keys}`);
  await rm(folder, { recursive: true });
}
