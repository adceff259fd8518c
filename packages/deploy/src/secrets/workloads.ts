import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError } from '@flywheel/base';
import type { KubernetesClient, KubernetesObject } from '../cluster/client.ts';

/** Pods of a Deployment or StatefulSet, as far as flywheel looks at them. */
export interface Workload {
  readonly kind: 'Deployment' | 'StatefulSet';
  readonly name: string;
  readonly path: string;
}

interface WorkloadObject extends KubernetesObject {
  readonly spec: { readonly replicas?: number; readonly template: unknown };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
  };
}

export interface RollOptions {
  readonly now: () => number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const POLL_MS = 1000;

/** What runs in the namespace with this Secret in its pods, as files or as variables. */
export async function workloadsWith(
  cluster: KubernetesClient,
  namespace: string,
  secret: string,
): Promise<readonly Workload[]> {
  const found: Workload[] = [];
  for (const kind of ['Deployment', 'StatefulSet'] as const) {
    const path = `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s`;
    for (const { metadata, spec } of await cluster.list<WorkloadObject>(path)) {
      if (!refersTo(spec.template, secret)) continue;
      found.push({ kind, name: metadata.name, path: `${path}/${metadata.name}` });
    }
  }
  return found;
}

/**
 * Replaces the pods of a workload in its own way, which for ours keeps replicas serving, and waits
 * until the new ones are ready. Throws `unavailable` when they are not in time; the old ones serve on.
 */
export async function rollWorkload(
  cluster: KubernetesClient,
  workload: Workload,
  options: RollOptions,
): Promise<void> {
  // The annotation of `kubectl rollout restart`: no field of OpenTofu's, so no plan sees it.
  const restartedAt = new Date(options.now()).toISOString();
  const annotations = { 'kubectl.kubernetes.io/restartedAt': restartedAt };
  const changed = await cluster.merge(workload.path, {
    spec: { template: { metadata: { annotations } } },
  });
  const generation = changed.metadata.generation ?? 0;
  const untilMs = options.now() + options.timeoutMs;
  for (;;) {
    const current = await cluster.get<WorkloadObject>(workload.path);
    if (current === undefined || isRolledOut(current, generation)) return;
    if (options.now() > untilMs) throw stuck(cluster, workload);
    await sleep(POLL_MS, undefined, options.signal ? { signal: options.signal } : {});
  }
}

function isRolledOut({ spec, status = {} }: WorkloadObject, generation: number): boolean {
  const wanted = spec.replicas ?? 1;
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, readyReplicas = 0 } = status;
  if (observedGeneration < generation) return false;
  return updatedReplicas >= wanted && readyReplicas >= wanted && replicas <= wanted;
}

/** `secretName` of volumes, `name` of projected sources, of `secretKeyRef` and of `secretRef`. */
function refersTo(value: unknown, secret: string): boolean {
  if (Array.isArray(value)) return value.some((item) => refersTo(item, secret));
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]: [string, unknown]) => {
    if (key === 'secretName') return inner === secret;
    const isReference = key === 'secret' || key === 'secretKeyRef' || key === 'secretRef';
    if (isReference && Object(inner).name === secret) return true;
    return refersTo(inner, secret);
  });
}

function stuck({ context }: KubernetesClient, { kind, name, path }: Workload): FlywheelError {
  const namespace = path.split('/')[5];
  return new FlywheelError('unavailable', `the new pods of ${kind} ${name} are not ready`, {
    details: {
      hint:
        'The old ones serve on. See why, and run the same command again:\n' +
        `kubectl --context ${context} -n ${namespace} describe ${kind.toLowerCase()} ${name}`,
    },
  });
}
