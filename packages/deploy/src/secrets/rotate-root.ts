import { FlywheelError } from '@flywheel/base';
import { requireOwn } from './rotate-token-keys.ts';
import { restartAtOnce } from './restart-at-once.ts';
import type { Rotation } from './rotation.ts';
import { readSecret, writeSecret } from './secret-store.ts';
import { workloadsWith } from './workloads.ts';

const PASSWORD = 'MINIO_ROOT_PASSWORD';

/**
 * Gives MinIO's administrator another password, and answers for how many milliseconds MinIO was away.
 * Its servers trust each other by that password, so none of before can work with one of after: all stop
 * together. Users of buckets keep theirs. An interrupted rotation is just run again.
 */
export async function rotateMinioRoot(rotation: Rotation): Promise<number> {
  const { cluster, secret, make, onStep } = rotation;
  const readers = await workloadsWith(cluster, secret.namespace, secret.name);
  const servers = readers.find(({ kind }) => kind === 'StatefulSet');
  if (servers === undefined) {
    throw new FlywheelError('not-found', `no server of MinIO reads Secret ${secret.name}`, {
      details: {
        hint: `Deploy the object store first; StatefulSets were looked for in ${secret.namespace}.`,
      },
    });
  }
  const stored = requireOwn(secret, await readSecret(cluster, secret));
  const { [PASSWORD]: _, ...kept } = stored.values;
  onStep(`Writing the new password to Secret ${secret.name}`);
  await writeSecret(cluster, secret, secret.fill?.(kept, make) ?? {}, stored);
  onStep(`Replacing the pods of ${servers.kind} ${servers.name}, all at once`);
  return await restartAtOnce(cluster, servers, rotation);
}
