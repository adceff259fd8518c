import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FlywheelError } from '@flywheel/base';
import type { ClusterAccess } from './kubeconfig.ts';

/**
 * The context that the pod's own ServiceAccount stands for. Somebody has to say it: a runner in the
 * cluster of one environment also gets jobs that are meant for another.
 */
export const POD_CONTEXT = 'FLYWHEEL_POD_CONTEXT';

/** Where Kubernetes puts the account of a pod. */
const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The cluster that this process runs in, as its pod's ServiceAccount. Throws `invalid-input`
 * outside of a pod, and where the pod has no token.
 */
export function podAccess(
  env: Readonly<Partial<Record<string, string>>>,
  context: string,
  folder = FOLDER,
): ClusterAccess {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  const tokenFile = join(folder, 'token');
  if (!host || !port || !existsSync(tokenFile)) {
    throw new FlywheelError(
      'invalid-input',
      `${POD_CONTEXT} is set, and this is no pod with an account`,
      {
        details: {
          hint: `A pod with automountServiceAccountToken has ${tokenFile}. Elsewhere, use a kubeconfig.`,
        },
      },
    );
  }
  return {
    context,
    cluster: {
      server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
      'certificate-authority': join(folder, 'ca.crt'),
    },
    user: { tokenFile },
  };
}
