import { expect, test } from 'vitest';
import type { Manifest } from './manifest.ts';
import { setIssues } from './set-rules.ts';

const LABELS = { app: 'cache' };

function object(kind: string, spec: unknown): Manifest {
  return { apiVersion: 'v1', kind, metadata: { name: 'cache' }, spec } as unknown as Manifest;
}

const DEPLOYMENT = {
  selector: { matchLabels: LABELS },
  template: {
    metadata: { labels: LABELS },
    spec: { containers: [{ ports: [{ name: 'http' }] }] },
  },
};
const WORKLOAD = object('Deployment', DEPLOYMENT);
const POLICY = object('NetworkPolicy', {
  podSelector: { matchLabels: LABELS },
  policyTypes: ['Ingress', 'Egress'],
});

test('objects that fit each other', () => {
  const set = [
    WORKLOAD,
    POLICY,
    object('Service', { selector: LABELS, ports: [{ targetPort: 'http' }] }),
    object('HorizontalPodAutoscaler', { scaleTargetRef: { kind: 'Deployment', name: 'cache' } }),
    object('PodDisruptionBudget', { maxUnavailable: 1, selector: { matchLabels: LABELS } }),
  ];
  expect(setIssues(set)).toEqual([]);
});

test.each<[string, Manifest]>([
  ['Secret cache: secrets do not belong into the state', object('Secret', undefined)],
  ['Service cache: selects no pods', object('Service', { selector: { app: 'other' } })],
  [
    'Service cache: no container has a port web',
    object('Service', { selector: LABELS, ports: [{ targetPort: 'web' }] }),
  ],
  [
    'HorizontalPodAutoscaler cache: scales nothing',
    object('HorizontalPodAutoscaler', { scaleTargetRef: { kind: 'Deployment', name: 'other' } }),
  ],
  [
    'PodDisruptionBudget cache: blocks drains',
    object('PodDisruptionBudget', { minAvailable: 1, selector: { matchLabels: LABELS } }),
  ],
  [
    'PodDisruptionBudget cache: selects no pods',
    object('PodDisruptionBudget', { maxUnavailable: 1, selector: { matchLabels: { app: 'x' } } }),
  ],
])('%s', (issue, wrong) => {
  expect(setIssues([WORKLOAD, POLICY, wrong])).toEqual([issue]);
});

test('pods that no policy closes', () => {
  const ingressOnly = object('NetworkPolicy', { podSelector: {}, policyTypes: ['Ingress'] });
  expect(setIssues([WORKLOAD, ingressOnly])).toEqual([
    'Deployment cache: no network policy closes its egress',
  ]);
});

test('a Deployment that does not select its own pods', () => {
  const wrong = object('Deployment', { ...DEPLOYMENT, selector: { matchLabels: { app: 'x' } } });
  expect(setIssues([wrong, POLICY])).toEqual(['Deployment cache: does not select its own pods']);
});

test('replicas besides an autoscaler', () => {
  const set = [
    object('Deployment', { ...DEPLOYMENT, replicas: 2 }),
    POLICY,
    object('HorizontalPodAutoscaler', { scaleTargetRef: { kind: 'Deployment', name: 'cache' } }),
  ];
  expect(setIssues(set)).toEqual([
    'Deployment cache: has replicas and an autoscaler, which undo each other',
  ]);
});
