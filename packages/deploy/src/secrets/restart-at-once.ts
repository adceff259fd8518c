import { setTimeout as sleep } from 'node:timers/promises';
import { FlywheelError } from '@flywheel/base';
import type { KubernetesClient, KubernetesObject } from '../cluster/client.ts';
import type { RollOptions, Workload } from './workloads.ts';

interface Selecting extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels?: Readonly<Record<string, string>> };
  };
}

interface Pod extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly uid: string };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

const POLL_MS = 500;

/**
 * Removes all pods of a workload together and waits until as many new ones are ready. Answers how many
 * milliseconds that took, in which nobody served. Throws `unavailable` when they are not in time, and
 * `unsupported` where pods cannot be told apart from those of others.
 */
export async function restartAtOnce(
  cluster: KubernetesClient,
  workload: Workload,
  options: RollOptions,
): Promise<number> {
  const { now, timeoutMs, signal } = options;
  const found = await cluster.get<Selecting>(workload.path);
  const { replicas: wanted = 1, selector } = found?.spec ?? { selector: {} };
  const labels = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]) => `${key}=${value}`,
  );
  if (labels.length === 0) throw unselective(workload);
  const namespace = workload.path.split('/')[5];
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const selected = `${pods}?labelSelector=${encodeURIComponent(labels.join(','))}`;
  const before = await cluster.list<Pod>(selected);
  const old = new Set(before.map(({ metadata }) => metadata.uid));
  const startedMs = now();
  await Promise.all(before.map(({ metadata }) => cluster.remove(`${pods}/${metadata.name}`)));
  for (;;) {
    const current = await cluster.list<Pod>(selected);
    const isNew = current.every(({ metadata }) => !old.has(metadata.uid));
    if (isNew && current.filter(isReady).length >= wanted) return now() - startedMs;
    if (now() - startedMs > timeoutMs) throw late(cluster, workload, namespace ?? '');
    await sleep(POLL_MS, undefined, signal ? { signal } : {});
  }
}

function isReady({ status }: Pod): boolean {
  return (
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false
  );
}

function late(
  { context }: KubernetesClient,
  { kind, name }: Workload,
  namespace: string,
): FlywheelError {
  return new FlywheelError('unavailable', `the new pods of ${kind} ${name} are not ready`, {
    details: {
      hint:
        'Nobody serves until they are; they go on by themselves. See why:\n' +
        `kubectl --context ${context} -n ${namespace} describe ${kind.toLowerCase()} ${name}`,
    },
  });
}

/** Without labels, every pod of the namespace would be chosen. */
function unselective({ kind, name }: Workload): FlywheelError {
  return new FlywheelError('unsupported', `${kind} ${name} does not name its pods by labels`, {
    details: { hint: 'Replace its pods by hand; the Secret has its new values already.' },
  });
}
