import { FlywheelError, isFlywheelError } from '@flywheel/base';
import type { KubernetesClient, KubernetesObject } from '../cluster/client.ts';
import type { NeededSecret, Values } from './needed-secrets.ts';

/** A Secret as it is in the cluster. */
export interface StoredSecret {
  readonly values: Values;
  /** Written by flywheel. All others belong to who made them: SOPS, External Secrets, a person. */
  readonly ours: boolean;
  /** Who else keeps it, as far as it can be told. */
  readonly keeper: string;
  readonly resourceVersion: string;
}

interface SecretObject extends KubernetesObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const LABELS = {
  [MANAGED_BY]: 'flywheel',
  'app.kubernetes.io/part-of': 'glorious-flywheel',
} as const;

type Place = Pick<NeededSecret, 'name' | 'namespace'>;

export async function readSecret(
  cluster: KubernetesClient,
  place: Place,
): Promise<StoredSecret | undefined> {
  const found = await cluster.get<SecretObject>(pathOf(place));
  if (found === undefined) return undefined;
  const { labels = {}, resourceVersion = '' } = found.metadata;
  return {
    values: decode(found.data ?? {}),
    ours: labels[MANAGED_BY] === LABELS[MANAGED_BY],
    keeper: keeperOf(found),
    resourceVersion,
  };
}

/**
 * Writes a Secret of flywheel's own by server-side apply; entries that `values` does not name go.
 * Throws `conflict` when it has changed since `stored` was read, or somebody else owns an entry.
 * Returns its new resource version.
 */
export async function writeSecret(
  cluster: KubernetesClient,
  needed: Pick<NeededSecret, 'name' | 'namespace' | 'type' | 'labels'>,
  values: Values,
  stored: StoredSecret | undefined,
): Promise<string> {
  const { name, namespace, type, labels } = needed;
  const since = stored === undefined ? {} : { resourceVersion: stored.resourceVersion };
  const metadata = { name, namespace, labels: { ...LABELS, ...labels }, ...since };
  const data = encode(values);
  const object = { apiVersion: 'v1', kind: 'Secret', metadata, type, data };
  try {
    const { metadata: written } = await cluster.apply(pathOf(needed), object);
    return written.resourceVersion ?? '';
  } catch (cause) {
    if (!isFlywheelError(cause, 'conflict')) throw cause;
    throw new FlywheelError('conflict', `Secret ${namespace}/${name}: ${cause.message}`, {
      cause,
      details: {
        hint:
          'Somebody else has changed it. Start again; if it stays, see who owns the entry:\n' +
          `kubectl --context ${cluster.context} -n ${namespace} get secret ${name} -o yaml --show-managed-fields`,
      },
    });
  }
}

export async function deleteSecret(cluster: KubernetesClient, place: Place): Promise<void> {
  await cluster.remove(pathOf(place));
}

/**
 * The namespace, made without labels when it is not there, so that the module that guards it takes
 * it over without a conflict. Who may not look at namespaces may still write into them. Returns whether
 * it was made.
 */
export async function ensureNamespace(
  cluster: KubernetesClient,
  namespace: string,
): Promise<boolean> {
  if (await hasNamespace(cluster, namespace)) return false;
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await cluster.apply(`/api/v1/namespaces/${namespace}`, object);
  return true;
}

export async function hasNamespace(cluster: KubernetesClient, namespace: string): Promise<boolean> {
  try {
    return (await cluster.get(`/api/v1/namespaces/${namespace}`)) !== undefined;
  } catch (error) {
    if (isFlywheelError(error, 'forbidden')) return true;
    throw error;
  }
}

function pathOf({ name, namespace }: Place): string {
  return `/api/v1/namespaces/${namespace}/secrets/${name}`;
}

function keeperOf({ metadata }: SecretObject): string {
  const [owner] = metadata.ownerReferences ?? [];
  if (owner !== undefined) return `${owner.kind} ${owner.name}`;
  return metadata.labels?.[MANAGED_BY] ?? 'somebody else';
}

function decode(data: Readonly<Record<string, string>>): Values {
  const texts = Object.entries(data).map(
    ([key, value]) => [key, Buffer.from(value, 'base64').toString()] as const,
  );
  return Object.fromEntries(texts);
}

function encode(values: Values): Values {
  const data = Object.entries(values).map(
    ([key, value]) => [key, Buffer.from(value).toString('base64')] as const,
  );
  return Object.fromEntries(data);
}
