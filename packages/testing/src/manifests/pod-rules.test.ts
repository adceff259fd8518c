import { expect, test } from 'vitest';
import type { Manifest } from './manifest.ts';
import { podIssues } from './pod-rules.ts';

type Fields = Record<string, unknown>;

const CONTAINER = {
  name: 'api',
  image: 'registry.example.org:5000/cache:0.1.0',
  ports: [{ name: 'http', containerPort: 8080 }],
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
  resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '64Mi' } },
  livenessProbe: {},
  readinessProbe: {},
};

const POD = {
  automountServiceAccountToken: false,
  terminationGracePeriodSeconds: 30,
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
};

function deployment(pod: Fields = {}, container: Fields = {}, kind = 'Deployment'): Manifest {
  const spec = { ...POD, ...pod, containers: [{ ...CONTAINER, ...container }] };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'cache', namespace: 'attic' },
    spec: { template: { spec } },
  } as unknown as Manifest;
}

test('a pod that keeps to all rules has nothing to say', () => {
  expect(podIssues(deployment())).toEqual([]);
});

test.each<[string, Fields]>([
  ['mounts a service account token', { automountServiceAccountToken: undefined }],
  ['may run as root', { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }],
  ['has no seccomp profile', { securityContext: { runAsNonRoot: true } }],
  ['uses hostNetwork', { hostNetwork: true }],
  ['mounts a folder of the node as sock', { volumes: [{ name: 'sock', hostPath: {} }] }],
  ['does not say how long it takes to end', { terminationGracePeriodSeconds: undefined }],
])('a pod that %s', (issue, pod) => {
  expect(podIssues(deployment(pod))).toEqual([`Deployment attic/cache: ${issue}`]);
});

const { securityContext: SAFE, resources: BOUNDED } = CONTAINER;

test.each<[string, Fields]>([
  ['may gain privileges', { securityContext: { ...SAFE, allowPrivilegeEscalation: undefined } }],
  ['has a writable root', { securityContext: { ...SAFE, readOnlyRootFilesystem: false } }],
  ['keeps capabilities', { securityContext: { ...SAFE, capabilities: { drop: ['NET_RAW'] } } }],
  ['is privileged', { securityContext: { ...SAFE, privileged: true } }],
  ['runs as root', { securityContext: { ...SAFE, runAsUser: 0 } }],
  ['requests no cpu', { resources: { ...BOUNDED, requests: { memory: '64Mi' } } }],
  ['has no limit of memory', { resources: { requests: BOUNDED.requests } }],
  ['runs cache:latest', { image: 'cache:latest' }],
  ['runs registry:5000/cache', { image: 'registry:5000/cache' }],
  ['has DB_PASSWORD written into it', { env: [{ name: 'DB_PASSWORD', value: 'hunter2' }] }],
  ['has no readinessProbe', { readinessProbe: undefined }],
])('a container that %s', (issue, container) => {
  expect(podIssues(deployment({}, container))).toEqual([`Deployment attic/cache: api: ${issue}`]);
});

test('a Job needs no probes, and any other rule holds', () => {
  const job = { readinessProbe: undefined, image: 'cache:latest' };
  expect(podIssues(deployment({}, job, 'Job'))).toEqual([
    'Job attic/cache: api: runs cache:latest',
  ]);
});
