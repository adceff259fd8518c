import { FlywheelError } from '@flywheel/base';
import type { NeededSecret, Values } from './needed-secrets.ts';
import { requireOwn } from './rotate-token-keys.ts';
import type { Rotation } from './rotation.ts';
import { deleteSecret, readSecret, writeSecret } from './secret-store.ts';
import { findSetupJob, runSetupAgain } from './setup-job.ts';
import { rollWorkload, workloadsWith } from './workloads.ts';

/** In the Secret while pods of before may still use it. */
const RETIRED = 'retired-access-key-id';

/**
 * Gives the cache another user of MinIO. Both users are good until no pod has the old one any more:
 * 1. the new one is made, from a Secret beside; 2. the Secret changes; 3. pods are replaced, a few at
 * a time; 4. the old one is removed. When it was interrupted, the next call goes on where it was.
 */
export async function rotateBucketUser(rotation: Rotation): Promise<void> {
  const { cluster, secret, onStep } = rotation;
  const job = await findSetupJob(rotation);
  let stored = requireOwn(secret, await readSecret(cluster, secret));
  if (stored.values[RETIRED] === undefined) {
    const next = await nextCredentials(rotation);
    onStep('Making the new user');
    await runSetupAgain(rotation, job, { secret: nameOfNext(secret) });
    onStep(`Writing the new credentials to Secret ${secret.name}`);
    const old = stored.values['access-key-id'] ?? '';
    await writeSecret(cluster, secret, { ...next, [RETIRED]: old }, stored);
    await deleteSecret(cluster, { ...secret, name: nameOfNext(secret) });
    stored = requireOwn(secret, await readSecret(cluster, secret));
  }
  for (const workload of await workloadsWith(cluster, secret.namespace, secret.name)) {
    onStep(`Replacing the pods of ${workload.kind} ${workload.name}`);
    await rollWorkload(cluster, workload, rotation);
  }
  const { [RETIRED]: retired = '', ...kept } = stored.values;
  if (retired === kept['access-key-id']) throw sameUser(secret);
  onStep('Removing the old user');
  await runSetupAgain(rotation, job, { removeUser: retired });
  await writeSecret(cluster, secret, kept, stored);
}

/** Kept in a Secret beside, so that a second try makes the same user and not a third. */
async function nextCredentials({ cluster, secret, make }: Rotation): Promise<Values> {
  const next = { ...secret, name: nameOfNext(secret) };
  const stored = await readSecret(cluster, next);
  if (stored !== undefined) return requireOwn(next, stored).values;
  const values = secret.fill?.({}, make) ?? {};
  await writeSecret(cluster, next, values, undefined);
  return values;
}

function nameOfNext({ name }: NeededSecret): string {
  return `${name}-next`;
}

function sameUser({ name }: NeededSecret): FlywheelError {
  return new FlywheelError('conflict', `Secret ${name} retires the user that it names`, {
    details: { hint: `Remove its entry ${RETIRED}, and start again.` },
  });
}
