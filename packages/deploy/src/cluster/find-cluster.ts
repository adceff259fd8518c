import { FlywheelError, isFlywheelError } from '@flywheel/base';
import { findContext, kubeconfigPaths } from './kubeconfig.ts';
import type { ClusterAccess } from './kubeconfig.ts';
import { podAccess, POD_CONTEXT } from './pod-account.ts';

/**
 * What leads to the cluster of a context: the pod's own account where POD_CONTEXT gives it that name,
 * else a kubeconfig. Throws as `findContext` and `podAccess` do.
 */
export async function findCluster(
  context: string,
  site: { readonly env: Readonly<Partial<Record<string, string>>>; readonly home: string },
): Promise<ClusterAccess> {
  const { env, home } = site;
  if (env[POD_CONTEXT] === context) return podAccess(env, context);
  try {
    return await findContext(kubeconfigPaths(env, home), context);
  } catch (error) {
    if (!isFlywheelError(error, 'not-found') || !env['KUBERNETES_SERVICE_HOST']) throw error;
    const { hint } = error.details;
    const way = `This is a pod. If its own cluster is meant, for its ServiceAccount: ${POD_CONTEXT}=${context}`;
    throw new FlywheelError('not-found', error.message, {
      cause: error,
      details: { ...error.details, hint: typeof hint === 'string' ? `${hint}\n${way}` : way },
    });
  }
}
