import { connectCluster } from '@flywheel/deploy';
import type { KubernetesClient } from '@flywheel/deploy';
import type { CliContext } from '../context.ts';
import type { OneEnvironment } from './one-environment.ts';

/** Connects to the cluster of an environment, and to no other. Nothing is asked yet. */
export function connectEnvironment(
  context: CliContext,
  { clusterContext }: Pick<OneEnvironment, 'clusterContext'>,
): Promise<KubernetesClient> {
  return connectCluster(clusterContext, {
    env: context.process.env,
    home: context.home,
    now: () => context.clock.now(),
    signal: context.signal,
  });
}
