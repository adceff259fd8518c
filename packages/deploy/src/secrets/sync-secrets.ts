import type { KubernetesClient } from '../cluster/client.ts';
import { givenValues } from './given-values.ts';
import type { GivenFrom } from './given-values.ts';
import type { NeededSecret, SecretMaker } from './needed-secrets.ts';
import { planSecret } from './plan-secret.ts';
import type { SecretPlan } from './plan-secret.ts';
import { ensureNamespace, readSecret, writeSecret } from './secret-store.ts';

/** What each Secret is, and would become. Writes nothing. */
export async function planSecrets(
  cluster: KubernetesClient,
  needed: readonly NeededSecret[],
  from: GivenFrom,
  make: SecretMaker,
): Promise<readonly SecretPlan[]> {
  return await Promise.all(
    needed.map(async (secret) => {
      const given = await givenValues(secret, from);
      return planSecret(secret, await readSecret(cluster, secret), given, make);
    }),
  );
}

/** Writes what is planned, one after the other, and makes their namespaces. */
export async function writeSecrets(
  cluster: KubernetesClient,
  plans: readonly SecretPlan[],
): Promise<void> {
  const written = plans.filter(({ state }) => state === 'make' || state === 'change');
  const namespaces = new Set(written.map(({ needed }) => needed.namespace));
  for (const namespace of namespaces) await ensureNamespace(cluster, namespace);
  for (const { needed, values, stored } of written) {
    await writeSecret(cluster, needed, values, stored);
  }
}
