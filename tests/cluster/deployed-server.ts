import type { Server } from '../store/attic-client.ts';
import { NAMESPACE } from './deployment.ts';
import { startIngress } from './ingress-pod.ts';
import type { Site } from './site.ts';

/** The cache as clients see it, who come by the ingress, and the token that its first replica has made. */
export async function deployedServer(site: Pick<Site, 'kubernetes' | 'kubectl'>): Promise<Server> {
  const url = await startIngress(site.kubernetes, `attic.${NAMESPACE}.svc.cluster.local`);
  const token = await site.kubectl(
    'exec',
    'deployment/attic-api',
    '--',
    'cat',
    '/var/lib/flywheel/data/keys/admin.token',
  );
  return { url, adminToken: token.trim() };
}
