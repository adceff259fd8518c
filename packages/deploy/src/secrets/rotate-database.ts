import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError } from '@flywheel/base';
import type { KubernetesObject } from '../cluster/client.ts';
import { requireOwn } from './rotate-token-keys.ts';
import type { Rotation } from './rotation.ts';
import { readSecret, writeSecret } from './secret-store.ts';
import { rollWorkload, workloadsWith } from './workloads.ts';

interface DatabaseCluster extends KubernetesObject {
  readonly spec: {
    readonly bootstrap?: Readonly<Record<string, { readonly secret?: { readonly name?: string } }>>;
  };
  readonly status?: {
    readonly secretsResourceVersion?: { readonly applicationSecretVersion?: string };
  };
}

const POLL_MS = 1000;

/**
 * Gives the owner of the database another password. CloudNativePG changes the role as soon as the
 * Secret changes, then pods are replaced, a few at a time. Connections that are open stay open, and
 * requests to a pod of before wait for one of them.
 */
export async function rotateDatabasePassword(rotation: Rotation): Promise<void> {
  const { cluster, secret, make, onStep } = rotation;
  const database = await findDatabase(rotation);
  const stored = requireOwn(secret, await readSecret(cluster, secret));
  onStep(`Writing the new password to Secret ${secret.name}`);
  const values = secret.fill?.({}, make) ?? {};
  const version = await writeSecret(cluster, secret, values, stored);
  onStep(`Waiting until CloudNativePG has taken it up in ${database.metadata.name}`);
  await tookUp(rotation, database.metadata.name, version);
  for (const workload of await workloadsWith(cluster, secret.namespace, secret.name)) {
    onStep(`Replacing the pods of ${workload.kind} ${workload.name}`);
    await rollWorkload(cluster, workload, rotation);
  }
}

/** The cluster that has its owner's password from this Secret. Throws `not-found`. */
async function findDatabase({ cluster, secret }: Rotation): Promise<DatabaseCluster> {
  const all = await cluster.get<{ readonly items: readonly DatabaseCluster[] }>(
    databasesIn(secret.namespace),
  );
  const found = all?.items.find(({ spec }) =>
    Object.values(spec.bootstrap ?? {}).some((way) => way.secret?.name === secret.name),
  );
  if (found !== undefined) return found;
  throw new FlywheelError('not-found', `no database has its password from Secret ${secret.name}`, {
    details: {
      hint: `Deploy it first; clusters of CloudNativePG were looked for in ${secret.namespace}.`,
    },
  });
}

async function tookUp(rotation: Rotation, name: string, version: string): Promise<void> {
  const { cluster, secret, signal } = rotation;
  const path = `${databasesIn(secret.namespace)}/${name}`;
  const untilMs = rotation.now() + rotation.timeoutMs;
  for (;;) {
    const current = await cluster.get<DatabaseCluster>(path);
    const seen = current?.status?.secretsResourceVersion?.applicationSecretVersion;
    if (seen === version) return;
    if (rotation.now() > untilMs) throw notTaken(rotation, name);
    await sleep(POLL_MS, undefined, signal ? { signal } : {});
  }
}

function databasesIn(namespace: string): string {
  return `/apis/postgresql.cnpg.io/v1/namespaces/${namespace}/clusters`;
}

function notTaken({ cluster, secret }: Rotation, name: string): FlywheelError {
  return new FlywheelError('unavailable', `CloudNativePG did not take the new password up`, {
    details: {
      hint:
        'Pods that are running keep their connections. See why, then run the command again:\n' +
        `kubectl --context ${cluster.context} -n ${secret.namespace} describe cluster.postgresql.cnpg.io ${name}`,
    },
  });
}
