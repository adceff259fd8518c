import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import {
  isMissing,
  outputOf,
  runChild,
  startKubernetes,
  startMinio,
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
  const storage = await startMinio();
  if (isMissing(storage)) return storage;
  opened.use(storage);

  const host = kubernetes.hostAddress;
  const storagePort = Number(new URL(storage.endpoint).port);
  for (const port of [postgres.port, storagePort]) opened.use(await forward(host, port));
  const kubectl = async (...args: readonly string[]): Promise<string> =>
    outputOf(await kubernetes.kubectl([`--namespace=${NAMESPACE}`, ...args]), args.join(' '));

  await kubectl('create', 'namespace', NAMESPACE);
  const databaseUrl = (await postgres.createDatabase()).replace('127.0.0.1', host);
  await makeSecret(kubectl, 'attic-database', { uri: databaseUrl });
  await makeSecret(kubectl, 'attic-s3', storage.env);
  await makeTokenKeys(kubectl);

  const settings = {
    image: IMAGES.cache,
    host,
    databasePort: postgres.port,
    storagePort,
    bucket: storage.bucket,
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
