import { nameOf } from './manifest.ts';
import type { Json, Manifest } from './manifest.ts';

/** The pod that a workload makes; undefined for objects that make none. */
export function podTemplate(manifest: Manifest): Json | undefined {
  switch (manifest.kind) {
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'Job':
      return manifest.spec?.['template'];
    case 'CronJob':
      return manifest.spec?.['jobTemplate']?.['spec']?.['template'];
    default:
      return undefined;
  }
}

/**
 * What is wrong with the pods of a workload, by the rules that all of ours follow: the Pod Security
 * Standard "restricted", a read-only root, no token of a service account, bounded memory, probes.
 */
export function podIssues(manifest: Manifest): readonly string[] {
  const pod = podTemplate(manifest)?.['spec'];
  if (pod === undefined) return [];
  const lasting = ['Deployment', 'StatefulSet', 'DaemonSet'].includes(manifest.kind);
  const found = [
    ...wholePodIssues(pod),
    ...[...(pod['initContainers'] ?? []), ...(pod['containers'] ?? [])].flatMap((container) =>
      containerIssues(container, pod).map((issue) => `${String(container['name'])}: ${issue}`),
    ),
    ...(lasting ? lastingIssues(pod) : []),
  ];
  return found.map((issue) => `${nameOf(manifest)}: ${issue}`);
}

function wholePodIssues(pod: Json): readonly string[] {
  const context = pod['securityContext'];
  return [
    ...unless(says(pod['automountServiceAccountToken'], false), 'mounts a service account token'),
    ...unless(says(context?.['runAsNonRoot'], true), 'may run as root'),
    ...unless(
      says(context?.['seccompProfile']?.['type'], 'RuntimeDefault'),
      'has no seccomp profile',
    ),
    ...['hostNetwork', 'hostPID', 'hostIPC']
      .filter((field) => says(pod[field], true))
      .map((field) => `uses ${field}`),
    ...(pod['volumes'] ?? [])
      .filter((volume) => volume['hostPath'] !== undefined)
      .map((volume) => `mounts a folder of the node as ${String(volume['name'])}`),
  ];
}

function containerIssues(container: Json, pod: Json): readonly string[] {
  const context = container['securityContext'];
  const resources = container['resources'];
  const user = context?.['runAsUser'] ?? pod['securityContext']?.['runAsUser'];
  return [
    ...unless(says(context?.['allowPrivilegeEscalation'], false), 'may gain privileges'),
    ...unless(says(context?.['readOnlyRootFilesystem'], true), 'has a writable root'),
    ...unless(
      JSON.stringify(context?.['capabilities']) === '{"drop":["ALL"]}',
      'keeps capabilities',
    ),
    ...unless(!says(context?.['privileged'], true), 'is privileged'),
    ...unless(!says(user, 0), 'runs as root'),
    ...['cpu', 'memory']
      .filter((name) => resources?.['requests']?.[name] === undefined)
      .map((name) => `requests no ${name}`),
    ...unless(resources?.['limits']?.['memory'] !== undefined, 'has no limit of memory'),
    ...unless(pinned(String(container['image'])), `runs ${String(container['image'])}`),
    ...(container['env'] ?? [])
      .filter((entry) => SECRET_NAME.test(String(entry['name'])) && entry['value'] !== undefined)
      .map((entry) => `has ${String(entry['name'])} written into it`),
  ];
}

/** What serves must say whether it is alive and whether it is ready, and be given time to end. */
function lastingIssues(pod: Json): readonly string[] {
  const probes = (pod['containers'] ?? [])
    .filter((container) => container['ports'] !== undefined)
    .flatMap((container) =>
      ['livenessProbe', 'readinessProbe']
        .filter((probe) => container[probe] === undefined)
        .map((probe) => `${String(container['name'])}: has no ${probe}`),
    );
  return [
    ...probes,
    ...unless(
      pod['terminationGracePeriodSeconds'] !== undefined,
      'does not say how long it takes to end',
    ),
  ];
}

const SECRET_NAME = /PASSWORD|SECRET(?!S$)|TOKEN|ACCESS_KEY|PRIVATE/;

function pinned(image: string): boolean {
  if (/@sha256:[0-9a-f]{64}$/.test(image)) return true;
  const tag = /:([\w][\w.-]*)$/.exec(image)?.[1];
  return tag !== undefined && tag !== 'latest';
}

function says(value: unknown, expected: unknown): boolean {
  return value === expected;
}

function unless(holds: boolean, issue: string): readonly string[] {
  return holds ? [] : [issue];
}
