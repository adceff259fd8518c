import { outputOf } from '../tofu.ts';
import type { ControlPlane } from './control-plane.ts';

const NAMESPACE = 'kube-system';
/** By this label, policies everywhere let pods ask for names. */
const LABELS = { 'k8s-app': 'kube-dns' };
const COREFILE = `.:53 {
  errors
  ready
  kubernetes cluster.local in-addr.arpa
}
`;

/** Runs CoreDNS as clusters do, as pods behind a service at `address`, and returns when it answers. */
export async function deployDns(
  plane: ControlPlane,
  { image, address }: { readonly image: string; readonly address: string },
): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects(image, address) };
  outputOf(await plane.kubectl(['apply', '-f', '-'], JSON.stringify(list)), 'DNS');
  const wait = ['rollout', 'status', 'deployment/coredns', '-n', NAMESPACE, '--timeout=120s'];
  outputOf(await plane.kubectl(wait), 'DNS');
}

function objects(image: string, address: string): readonly object[] {
  const named = { name: 'coredns', namespace: NAMESPACE };
  const account = { kind: 'ServiceAccount', ...named };
  const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'coredns' };
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: named },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'coredns' },
      rules: [
        {
          apiGroups: [''],
          resources: ['services', 'pods', 'namespaces'],
          verbs: ['list', 'watch'],
        },
        {
          apiGroups: ['discovery.k8s.io'],
          resources: ['endpointslices'],
          verbs: ['list', 'watch'],
        },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'coredns' },
      roleRef: role,
      subjects: [account],
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: named, data: { Corefile: COREFILE } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace: NAMESPACE },
      spec: { clusterIP: address, selector: LABELS, ports },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: named,
      spec: {
        selector: { matchLabels: LABELS },
        template: {
          metadata: { labels: LABELS },
          spec: {
            serviceAccountName: 'coredns',
            dnsPolicy: 'Default',
            containers: [
              {
                name: 'coredns',
                image,
                args: ['-conf', '/etc/coredns/Corefile'],
                readinessProbe: {
                  httpGet: { path: '/ready', port: 8181 },
                  periodSeconds: 1,
                },
                volumeMounts: [{ name: 'configuration', mountPath: '/etc/coredns' }],
              },
            ],
            volumes: [{ name: 'configuration', configMap: { name: 'coredns' } }],
          },
        },
      },
    },
  ];
}
