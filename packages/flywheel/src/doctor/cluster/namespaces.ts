import type { Finding } from '../check.ts';
import { whereAllowed } from './examined.ts';
import type { Examined } from './examined.ts';

/** Namespaces that flywheel makes, and those of others that network policies name. */
export async function checkNamespaces({
  cluster,
  organization,
}: Examined): Promise<readonly Finding[]> {
  const { namespaces, monitoring, ingress } = organization;
  const entrance = ingress.kind === 'gateway' ? ingress.gateway?.namespace : ingress.namespace;
  const exists = async (namespace: string): Promise<boolean> =>
    (await cluster.get(`/api/v1/namespaces/${namespace}`)) !== undefined;
  const own = whereAllowed('Namespace', async () => {
    const there = await exists(namespaces.cache);
    const summary = `${namespaces.cache} ${there ? 'is there' : 'is not there yet: it is made'}`;
    return { name: 'Namespace', status: 'ok', summary };
  });
  const others = [
    { namespace: entrance, key: 'ingress.namespace', what: 'Ingress namespace' },
    ...(monitoring.enabled
      ? [{ namespace: monitoring.namespace, key: 'monitoring.namespace', what: 'Prometheus' }]
      : []),
  ].flatMap(({ namespace, key, what }) =>
    namespace === undefined
      ? []
      : whereAllowed(what, async () =>
          (await exists(namespace))
            ? { name: what, status: 'ok', summary: `${namespace} is there` }
            : {
                name: what,
                status: 'failed',
                summary: `there is no namespace ${namespace}: network policies would let nobody in`,
                remedy: `Name the right one in organization.yaml: ${key}.`,
              },
        ),
  );
  return await Promise.all([own, ...others]);
}
