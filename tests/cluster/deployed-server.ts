import type { Server } from '../store/attic-client.ts';
import type { Site } from './site.ts';

/** The service as clients in the cluster see it, and the token that its first replica has made. */
export async function deployedServer(site: Pick<Site, 'kubectl'>): Promise<Server> {
  const address = await site.kubectl(
    'get',
    'service',
    'attic',
    '--output=jsonpath={.spec.clusterIP}',
  );
  const token = await site.kubectl(
    'exec',
    'deployment/attic-api',
    '--',
    'cat',
    '/var/lib/flywheel/data/keys/admin.token',
  );
  return { url: `http://${address}/`, adminToken: token.trim() };
}
