import type { KubernetesObject } from '@flywheel/deploy';
import type { Organization } from '@flywheel/organization';
import type { Finding } from '../check.ts';
import { whereAllowed } from './examined.ts';
import type { Examined } from './examined.ts';

const DEFAULT = 'storageclass.kubernetes.io/is-default-class';

/** The classes that volumes of the database and the object store ask for. */
export async function checkStorageClasses({
  cluster,
  organization,
}: Examined): Promise<readonly Finding[]> {
  const wanted = wantedClasses(organization);
  if (wanted.length === 0) return [];
  const finding = await whereAllowed('Storage class', async () =>
    compare(wanted, await cluster.list('/apis/storage.k8s.io/v1/storageclasses')),
  );
  return [finding];
}

interface Wanted {
  readonly key: string;
  /** Undefined: the cluster's default. */
  readonly name: string | undefined;
}

function wantedClasses({ cache }: Organization): readonly Wanted[] {
  if (!cache.enabled) return [];
  const { database, storage } = cache;
  const wanted: Wanted[] = [];
  if (database.engine === 'cnpg') {
    wanted.push({ key: 'cache.database.cnpg.storageClass', name: database.cnpg.storageClass });
  }
  if (storage.engine === 'minio') {
    wanted.push({ key: 'cache.storage.minio.storageClass', name: storage.minio.storageClass });
  }
  return wanted;
}

function compare(wanted: readonly Wanted[], classes: readonly KubernetesObject[]): Finding {
  const name = 'Storage class';
  const names = classes.map(({ metadata }) => metadata.name);
  const byDefault = classes.find(({ metadata }) => metadata.annotations?.[DEFAULT] === 'true');
  const missing = wanted.filter((each) =>
    each.name === undefined ? byDefault === undefined : !names.includes(each.name),
  );
  const [first] = missing;
  if (first === undefined) {
    const used = wanted.map((each) => each.name ?? `${byDefault?.metadata.name} (default)`);
    return { name, status: 'ok', summary: [...new Set(used)].join(', ') };
  }
  const there = names.length === 0 ? 'The cluster has none.' : `There are: ${names.join(', ')}.`;
  return {
    name,
    status: 'failed',
    summary: first.name === undefined ? 'no class is the default' : `there is no ${first.name}`,
    remedy: `Name one in organization.yaml, ${missing.map(({ key }) => key).join(' and ')}. ${there}`,
  };
}
