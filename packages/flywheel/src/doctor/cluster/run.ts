import { connectCluster } from '@flywheel/deploy';
import type { KubernetesClient } from '@flywheel/deploy';
import type { CliContext } from '../../context.ts';
import { oneEnvironment } from '../../organization/one-environment.ts';
import type { EnvironmentFlags } from '../../organization/one-environment.ts';
import type { Finding } from '../check.ts';
import { checkDefinitions } from './definitions.ts';
import { checkEntrance } from './entrance.ts';
import { checkManifests } from './manifests.ts';
import { checkNamespaces } from './namespaces.ts';
import { checkPermissions } from './permissions.ts';
import { checkProviderLocks } from './provider-locks.ts';
import { checkRegistries } from './registries.ts';
import { checkSecrets } from './secrets.ts';
import { checkServer, unreachable } from './server.ts';
import { checkStorageClasses } from './storage-classes.ts';
import type { Examined } from './examined.ts';

/**
 * Whether the cluster of an environment has what the stacks need of it. Reads only; the reviews of
 * permissions are answered and not kept. A check that may not look says so.
 */
export async function checkCluster(
  context: CliContext,
  flags: EnvironmentFlags,
): Promise<readonly Finding[]> {
  const { clusterContext, organization } = await oneEnvironment(context, flags);
  let cluster: KubernetesClient;
  try {
    cluster = await connectCluster(clusterContext, {
      env: context.process.env,
      home: context.home,
      now: () => context.clock.now(),
      signal: context.signal,
    });
  } catch (error) {
    return [unreachable(error)];
  }
  const examined: Examined = { context, cluster, organization };
  const server = await checkServer(examined);
  // Nothing else could be asked either.
  if (server.status === 'failed') return [server];
  const findings = await Promise.all([
    checkNamespaces(examined),
    checkPermissions(examined),
    checkStorageClasses(examined),
    checkEntrance(examined),
    checkDefinitions(examined),
    checkManifests(examined),
    checkRegistries(examined),
    checkSecrets(examined),
    checkProviderLocks(examined),
  ]);
  return [server, ...findings.flat()];
}
