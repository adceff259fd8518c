import { outputOf } from '../tofu.ts';
import type { ControlPlane } from './control-plane.ts';

const NAME = 'metrics-server';
const NAMESPACE = 'kube-system';
const LABELS = { 'k8s-app': NAME };
const RBAC = 'rbac.authorization.k8s.io';

/** Runs metrics-server as a pod, as its own manifests do; it has figures after half a minute. */
export async function deployMetrics(plane: ControlPlane, image: string): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: [...access(), ...server(image)] };
  outputOf(await plane.kubectl(['apply', '-f', '-'], JSON.stringify(list)), NAME);
}

/** Whom it may ask: nodes for their figures, and the API server about who asks it. */
function access(): readonly object[] {
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }];
  const bind = (kind: string, role: string, rest: object): object => ({
    apiVersion: `${RBAC}/v1`,
    kind: `${kind}Binding`,
    metadata: { name: `${NAME}-${role.replace('system:', '')}`, ...rest },
    roleRef: { apiGroup: RBAC, kind, name: role },
    subjects,
  });
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace: NAMESPACE } },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata: { name: NAME },
      rules: [
        { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
        { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
      ],
    },
    bind('ClusterRole', NAME, {}),
    bind('ClusterRole', 'system:auth-delegator', {}),
    bind('Role', 'extension-apiserver-authentication-reader', { namespace: NAMESPACE }),
  ];
}

function server(image: string): readonly object[] {
  const metadata = { name: NAME, namespace: NAMESPACE };
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: LABELS, ports: [{ port: 443, targetPort: 'https' }] },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: {
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        // It makes its certificate itself.
        insecureSkipTLSVerify: true,
        service: metadata,
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        selector: { matchLabels: LABELS },
        template: {
          metadata: { labels: LABELS },
          spec: {
            serviceAccountName: NAME,
            containers: [
              {
                name: NAME,
                image,
                args: [
                  '--cert-dir=/tmp',
                  '--secure-port=10250',
                  '--kubelet-preferred-address-types=InternalIP',
                  '--kubelet-insecure-tls',
                  '--metric-resolution=15s',
                ],
                ports: [{ name: 'https', containerPort: 10250 }],
                readinessProbe: {
                  httpGet: { path: '/readyz', port: 'https', scheme: 'HTTPS' },
                  periodSeconds: 2,
                },
                volumeMounts: [{ name: 'certificate', mountPath: '/tmp' }],
              },
            ],
            volumes: [{ name: 'certificate', emptyDir: {} }],
          },
        },
      },
    },
  ];
}
