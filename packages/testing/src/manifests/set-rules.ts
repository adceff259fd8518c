import { nameOf } from './manifest.ts';
import type { Json, Labels, Manifest } from './manifest.ts';
import { podTemplate } from './pod-rules.ts';

/** What is wrong between objects that are applied together: each by itself may be fine. */
export function setIssues(manifests: readonly Manifest[]): readonly string[] {
  const workloads = manifests.filter((manifest) => podTemplate(manifest) !== undefined);
  return [
    ...manifests
      .filter(({ kind }) => kind === 'Secret')
      .map((secret) => `${nameOf(secret)}: secrets do not belong into the state`),
    ...workloads.flatMap((workload) => selectorIssues(workload)),
    ...workloads.flatMap((workload) => networkIssues(workload, manifests)),
    ...manifests.flatMap((manifest) => serviceIssues(manifest, workloads)),
    ...manifests.flatMap((manifest) => scalerIssues(manifest, workloads)),
    ...manifests.flatMap((manifest) => budgetIssues(manifest, workloads)),
  ];
}

function selectorIssues(workload: Manifest): readonly string[] {
  const wanted = workload.spec?.['selector']?.['matchLabels'] as Labels | undefined;
  if (wanted === undefined || selects(wanted, labelsOf(workload))) return [];
  return [`${nameOf(workload)}: does not select its own pods`];
}

/** A default-deny policy elsewhere may close both ways; here each pod has one that says what is open. */
function networkIssues(workload: Manifest, manifests: readonly Manifest[]): readonly string[] {
  const policies = manifests.filter(
    ({ kind, spec }) =>
      kind === 'NetworkPolicy' &&
      selects(spec?.['podSelector']?.['matchLabels'] as Labels | undefined, labelsOf(workload)),
  );
  const closed = new Set(policies.flatMap(({ spec }) => [...(spec?.['policyTypes'] ?? [])]));
  return ['Ingress', 'Egress']
    .filter((way) => !closed.has(way as unknown as Json))
    .map((way) => `${nameOf(workload)}: no network policy closes its ${way.toLowerCase()}`);
}

function serviceIssues(manifest: Manifest, workloads: readonly Manifest[]): readonly string[] {
  if (manifest.kind !== 'Service') return [];
  const behind = workloads.filter((workload) =>
    selects(manifest.spec?.['selector'] as Labels | undefined, labelsOf(workload)),
  );
  if (behind.length === 0) return [`${nameOf(manifest)}: selects no pods`];
  const ports = new Set(
    behind.flatMap((workload) =>
      (podTemplate(workload)?.['spec']?.['containers'] ?? []).flatMap((container) =>
        (container['ports'] ?? []).map((port) => port['name']),
      ),
    ),
  );
  return (manifest.spec?.['ports'] ?? [])
    .map((port) => port['targetPort'])
    .filter((target) => !ports.has(target))
    .map((target) => `${nameOf(manifest)}: no container has a port ${String(target)}`);
}

function scalerIssues(manifest: Manifest, workloads: readonly Manifest[]): readonly string[] {
  if (manifest.kind !== 'HorizontalPodAutoscaler') return [];
  const target = manifest.spec?.['scaleTargetRef'] as { kind?: string; name?: string } | undefined;
  const scaled = workloads.find(
    ({ kind, metadata }) => kind === target?.kind && metadata.name === target.name,
  );
  if (scaled === undefined) return [`${nameOf(manifest)}: scales nothing`];
  if (scaled.spec?.['replicas'] === undefined) return [];
  return [`${nameOf(scaled)}: has replicas and an autoscaler, which undo each other`];
}

/** A budget that allows no pod to go keeps nodes from ever being drained. */
function budgetIssues(manifest: Manifest, workloads: readonly Manifest[]): readonly string[] {
  if (manifest.kind !== 'PodDisruptionBudget') return [];
  const wanted = manifest.spec?.['selector']?.['matchLabels'] as Labels | undefined;
  if (!workloads.some((workload) => selects(wanted, labelsOf(workload)))) {
    return [`${nameOf(manifest)}: selects no pods`];
  }
  const allowed = manifest.spec?.['maxUnavailable'] as unknown;
  return typeof allowed === 'number' && allowed > 0 ? [] : [`${nameOf(manifest)}: blocks drains`];
}

function labelsOf(workload: Manifest): Labels {
  return (podTemplate(workload)?.['metadata']?.['labels'] ?? {}) as unknown as Labels;
}

/** Kubernetes: no labels wanted selects everything, in policies. */
function selects(wanted: Labels | undefined, labels: Labels): boolean {
  return Object.entries(wanted ?? {}).every(([name, value]) => labels[name] === value);
}
