import type { Organization } from '@flywheel/organization';
import type { Finding } from '../check.ts';
import type { Examined } from './examined.ts';

interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string;
}

interface Review {
  readonly status: { readonly allowed: boolean };
}

const WRITE = ['get', 'create', 'patch', 'delete'] as const;

/** What stack `attic` makes in the namespace of the cache, by API group. */
const NAMESPACED: Readonly<Record<string, readonly string[]>> = {
  '': ['configmaps', 'limitranges', 'resourcequotas', 'serviceaccounts', 'services'],
  apps: ['deployments', 'statefulsets'],
  batch: ['jobs'],
  autoscaling: ['horizontalpodautoscalers'],
  policy: ['poddisruptionbudgets'],
  'networking.k8s.io': ['networkpolicies'],
};

/** How many reviews are asked at once. */
const AT_ONCE = 16;

/** Whether this user may do what the stacks and `secrets sync` do. */
export async function checkPermissions({
  cluster,
  organization,
}: Examined): Promise<readonly Finding[]> {
  const rights = rightsOf(organization);
  const missing: Right[] = [];
  for (let index = 0; index < rights.length; index += AT_ONCE) {
    const some = rights.slice(index, index + AT_ONCE);
    const reviews = await Promise.all(
      some.map((resourceAttributes) =>
        cluster.create<Review>('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes },
        }),
      ),
    );
    missing.push(...some.filter((_, at) => reviews[at]?.status.allowed !== true));
  }
  const name = 'Permissions';
  if (missing.length === 0) {
    return [{ name, status: 'ok', summary: `all ${rights.length} that the stacks need` }];
  }
  return [
    {
      name,
      status: 'failed',
      summary: `${missing.length} of ${rights.length} that the stacks need are missing`,
      remedy: `Give this user: ${grouped(missing).join('\n')}`,
    },
  ];
}

function rightsOf({ cache, ingress, monitoring, namespaces }: Organization): readonly Right[] {
  if (!cache.enabled) return [];
  const inCache = { ...NAMESPACED };
  const add = (group: string, ...resources: readonly string[]): void => {
    inCache[group] = [...(inCache[group] ?? []), ...resources];
  };
  if (ingress.kind === 'ingress') add('networking.k8s.io', 'ingresses');
  else add('gateway.networking.k8s.io', 'httproutes');
  if (cache.database.engine === 'cnpg') {
    add('postgresql.cnpg.io', 'clusters', 'scheduledbackups');
    if (cache.backups.enabled) add('barmancloud.cnpg.io', 'objectstores');
  }
  if (monitoring.enabled) {
    add('monitoring.coreos.com', 'podmonitors', 'prometheusrules', 'servicemonitors');
  }
  const rights: Right[] = Object.entries(inCache).flatMap(([group, resources]) =>
    resources.flatMap((resource) =>
      WRITE.map((verb) => ({ verb, group, resource, namespace: namespaces.cache })),
    ),
  );
  const secret = { group: '', resource: 'secrets', namespace: namespaces.cache };
  rights.push(...['get', 'create', 'patch'].map((verb) => ({ verb, ...secret })));
  const clusterWide = [
    { group: '', resource: 'namespaces' },
    { group: 'scheduling.k8s.io', resource: 'priorityclasses' },
  ];
  if (cache.database.engine === 'cnpg') {
    // Those of the operators' manifests.
    clusterWide.push(
      { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' },
      { group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
      { group: 'rbac.authorization.k8s.io', resource: 'clusterrolebindings' },
      { group: 'admissionregistration.k8s.io', resource: 'mutatingwebhookconfigurations' },
      { group: 'admissionregistration.k8s.io', resource: 'validatingwebhookconfigurations' },
    );
  }
  const wide = clusterWide.flatMap((kind) => WRITE.map((verb) => ({ verb, ...kind })));
  return [...rights, ...wide];
}

/** `create, patch networkpolicies.networking.k8s.io in flywheel-cache`. */
function grouped(rights: readonly Right[]): readonly string[] {
  const verbs = new Map<string, string[]>();
  for (const { verb, group, resource, namespace } of rights) {
    const kind = group === '' ? resource : `${resource}.${group}`;
    const where =
      namespace === undefined ? `${kind} in the whole cluster` : `${kind} in ${namespace}`;
    verbs.set(where, [...(verbs.get(where) ?? []), verb]);
  }
  return [...verbs].map(([where, wanted]) => `${wanted.join(', ')} ${where}`);
}
