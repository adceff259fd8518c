import { isFlywheelError } from '@flywheel/base';
import type { KubernetesClient, Stack } from '@flywheel/deploy';
import type { Organization } from '@flywheel/organization';
import type { CliContext } from '../../context.ts';
import type { Finding } from '../check.ts';

/** What checks of a cluster look at. */
export interface Examined {
  readonly context: CliContext;
  readonly cluster: KubernetesClient;
  readonly organization: Organization;
  /** Those that flywheel brings. */
  readonly stacks: readonly Stack[];
}

/** The finding of a check, or that this user may not look. */
export async function whereAllowed(name: string, check: () => Promise<Finding>): Promise<Finding> {
  try {
    return await check();
  } catch (error) {
    if (!isFlywheelError(error, 'forbidden')) throw error;
    const remedy = 'Ask somebody who may look, or run this as an administrator of the cluster.';
    return { name, status: 'absent', summary: 'this user may not look', remedy };
  }
}
