import { isFlywheelError } from '@flywheel/base';
import { readStacks } from '@flywheel/deploy';
import type { KubernetesClient, Stack } from '@flywheel/deploy';
import type { CliContext } from '../../context.ts';
import { stacksFolder } from '../../deploy/deployment.ts';
import { connectEnvironment } from '../../organization/connect-environment.ts';
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
  const environment = await oneEnvironment(context, flags);
  let cluster: KubernetesClient;
  try {
    cluster = await connectEnvironment(context, environment);
  } catch (error) {
    return [unreachable(error)];
  }
  const { organization } = environment;
  const stacks = await ownStacks(context);
  const examined: Examined = { context, cluster, organization, stacks };
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
    checkProviderLocks(examined, flags),
  ]);
  return [server, ...findings.flat()];
}

/** None where only the command line is installed. */
async function ownStacks(context: CliContext): Promise<readonly Stack[]> {
  try {
    return await readStacks(stacksFolder(context));
  } catch (error) {
    if (isFlywheelError(error, 'not-found')) return [];
    throw error;
  }
}
